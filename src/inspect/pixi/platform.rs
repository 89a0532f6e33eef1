//! pixi's platforms (<https://pixi.sh/latest/reference/pixi_manifest/#the-target-table>) in markers (PEP 508).

/// The marker of a target.
pub(super) fn marker(target: &str) -> Option<&'static str> {
    Some(match target {
        "unix" => "sys_platform != 'win32'",
        "linux" => "sys_platform == 'linux'",
        "linux-64" => "sys_platform == 'linux' and platform_machine == 'x86_64'",
        "linux-aarch64" => "sys_platform == 'linux' and platform_machine == 'aarch64'",
        "linux-ppc64le" => "sys_platform == 'linux' and platform_machine == 'ppc64le'",
        "linux-riscv64" => "sys_platform == 'linux' and platform_machine == 'riscv64'",
        "linux-s390x" => "sys_platform == 'linux' and platform_machine == 's390x'",
        "osx" => "sys_platform == 'darwin'",
        "osx-64" => "sys_platform == 'darwin' and platform_machine == 'x86_64'",
        "osx-arm64" => "sys_platform == 'darwin' and platform_machine == 'arm64'",
        "win" => "sys_platform == 'win32'",
        "win-64" => "sys_platform == 'win32' and platform_machine == 'AMD64'",
        "win-arm64" => "sys_platform == 'win32' and platform_machine == 'ARM64'",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::pep508;
    use super::*;

    #[test]
    fn each_marker_is_pep_508() {
        for target in ["unix", "linux", "linux-64", "linux-aarch64", "osx", "osx-64", "osx-arm64", "win", "win-64"] {
            let marker = marker(target).unwrap();
            assert!(pep508::parse(&format!("a ; {marker}")).is_ok(), "{marker}");
        }
        assert_eq!(marker("amiga"), None);
    }
}
