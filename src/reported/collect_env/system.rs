//! The operating system, its kernel, its C library, its architecture.

use std::sync::LazyLock;

use regex::Regex;

use super::Telling;
use super::gather::Text;
use super::keys::Key;
use crate::catalogue::Layout;
use crate::model::{Stated, System, SystemFamily};

/// The end of a text in brackets, such as the machine in `Ubuntu 22.04.4 LTS (x86_64)`.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static BRACKETS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\s*\(([^()]*)\)\s*$").unwrap());

/// Python's platform on Linux: the kernel, the machine, the C library.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static LINUX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^Linux-(.+?)-(x86_64|aarch64|arm64|i[36]86|ppc64le|s390x|riscv64|loongarch64|armv\w+)(?:-|$)(?:.*with-(glibc|musl)-?([\d.]*\d))?")
        .unwrap()
});

/// Python's platform on Windows and macOS: the release, and on Windows the build, on macOS the machine.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static ELSEWHERE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(Windows|macOS|Darwin)-([\w.]+)-(?:(\d+\.\d+\.\d+)|(x86_64|arm64))(?:-|$)").unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static WINDOWS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)windows\s+((?:server\s+)?\d+(?:\.\d+)?(?:\s+r2\b)?|xp|vista)").unwrap());

/// `major.minor` at most, as `VERSION_ID` has it, and SUSE's service pack.
#[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test uses it")]
static RELEASE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bv?(\d+(?:\.\d+)?)(?:[.\d]*)(?:\s+SP(\d+))?").unwrap());

pub(super) fn tell(telling: &mut Telling<'_>) {
    let platform = telling.gathered.stated(Key::Platform);
    let os = telling.gathered.stated(Key::Os);
    let kernel = platform.and_then(|text| Some(telling.stated(kernel(&text.text)?, text)));
    let wsl = kernel.as_ref().is_some_and(|kernel| kernel.value.to_ascii_lowercase().contains("microsoft"));
    let by_name = os.and_then(|text| Some((named(&text.text)?, text)));
    let by_platform = platform.and_then(|text| Some((of_platform(&text.text)?, text)));
    // A name of no known system is one of the kind that the platform tells.
    let system = match (by_name, by_platform) {
        (Some((System { family: SystemFamily::Other, text, .. }, at)), Some((known, _))) => {
            Some((System { text, ..known }, at))
        }
        (Some(named), _) => Some(named),
        (None, known) => known,
    };
    let system = system.map(|(system, at)| telling.stated(System { wsl, ..system }, at));
    let libc = libc(telling);
    let architecture = architecture(telling);
    let environment = &mut telling.section.environment;
    (environment.system, environment.kernel) = (system, kernel);
    (environment.libc, environment.architecture) = (libc, architecture);
}

/// The system that `text` names. `linux (x86_64)` is what a report writes where no file tells the distribution.
fn named(text: &str) -> Option<System> {
    let spaced = text.replace('\u{a0}', " ");
    let name = BRACKETS
        .find(&spaced)
        .filter(|found| machine(found.as_str()).is_some())
        .map_or(&*spaced, |found| &spaced[..found.start()]);
    let system = |family, distribution: Option<&str>, release: Option<String>| System {
        family,
        distribution: distribution.map(str::to_owned),
        release,
        wsl: false,
        text: text.to_owned(),
    };
    let lower = name.to_lowercase();
    if let Some((id, rest)) = Layout::collect_env().distribution(name) {
        return Some(system(SystemFamily::Linux, Some(id), release(rest)));
    }
    if lower.starts_with("mac") || lower.starts_with("os x") {
        let release = name.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        return Some(system(SystemFamily::Macos, None, release.map(str::to_owned)));
    }
    if lower.contains("windows") {
        let release = WINDOWS.captures(name).map(|release| release[1].to_owned());
        return Some(system(SystemFamily::Windows, None, release));
    }
    // A distribution that is not known: its release stands behind its name all the same.
    if let Some((_, rest)) = lower.split_once("linux") {
        return Some(system(SystemFamily::Linux, None, release(rest)));
    }
    (!lower.is_empty()).then(|| system(SystemFamily::Other, None, None))
}

fn release(rest: &str) -> Option<String> {
    let captures = RELEASE.captures(rest)?;
    Some(match captures.get(2) {
        Some(pack) => format!("{}.{}", &captures[1], pack.as_str()),
        None => captures[1].to_owned(),
    })
}

/// The system that Python's platform tells of.
fn of_platform(platform: &str) -> Option<System> {
    let system =
        |family, release| System { family, distribution: None, release, wsl: false, text: platform.to_owned() };
    if platform.starts_with("Linux-") {
        return Some(system(SystemFamily::Linux, None));
    }
    let captures = ELSEWHERE.captures(platform)?;
    Some(match &captures[1] {
        "Windows" => {
            // Python before 3.12 calls Windows 11 by the number of 10; its builds begin at 22000.
            let build = captures.get(3).and_then(|build| build.as_str().rsplit('.').next()?.parse::<u32>().ok());
            let eleven = &captures[2] == "10" && build.is_some_and(|build| build >= 22_000);
            system(SystemFamily::Windows, Some(if eleven { "11".to_owned() } else { captures[2].to_owned() }))
        }
        "macOS" => system(SystemFamily::Macos, Some(captures[2].to_owned())),
        _ => system(SystemFamily::Macos, None),
    })
}

fn kernel(platform: &str) -> Option<String> {
    if let Some(linux) = LINUX.captures(platform) {
        return Some(linux[1].to_owned());
    }
    let captures = ELSEWHERE.captures(platform)?;
    match &captures[1] {
        "Windows" => captures.get(3).map(|build| build.as_str().to_owned()),
        "Darwin" => Some(captures[2].to_owned()),
        _ => None,
    }
}

/// `glibc-2.35`, or what Python's platform ends with.
fn libc(telling: &Telling<'_>) -> Option<Stated<String>> {
    if let Some(text) = telling.gathered.stated(Key::Libc) {
        let (name, version) = text.text.split_once('-')?;
        return (!name.is_empty() && !version.is_empty()).then(|| telling.stated(format!("{name} {version}"), text));
    }
    let text = telling.gathered.stated(Key::Platform)?;
    let captures = LINUX.captures(&text.text)?;
    Some(telling.stated(format!("{} {}", captures.get(3)?.as_str(), captures.get(4)?.as_str()), text))
}

/// The machine in brackets: `(x86_64)`, and on Windows `(10.0.22631 ARM 64-bit)`.
fn machine(brackets: &str) -> Option<&str> {
    let inner = brackets.trim().trim_start_matches('(').trim_end_matches(')');
    let layout = Layout::collect_env();
    let arm = inner
        .get(..inner.to_ascii_uppercase().find("ARM 64").map_or(0, |at| at + 6))
        .and_then(|part| part.get(part.len().checked_sub(6)?..));
    layout.architecture(inner).or_else(|| arm.and_then(|arm| layout.architecture(arm)))
}

/// The architecture: of the system's name, else of Python's platform, else of the compiler that built Python.
fn architecture(telling: &Telling<'_>) -> Option<Stated<String>> {
    let layout = Layout::collect_env();
    let of_name = |text: &Text| machine(BRACKETS.find(&text.text)?.as_str()).map(str::to_owned);
    let of_platform = |text: &Text| {
        let linux = LINUX.captures(&text.text).and_then(|linux| linux.get(2).map(|machine| machine.as_str()));
        let other = || ELSEWHERE.captures(&text.text).and_then(|other| other.get(4).map(|machine| machine.as_str()));
        layout.architecture(linux.or_else(other)?).map(str::to_owned)
    };
    let of_python = |text: &Text| {
        let inner = text.text.split_once("bit (")?.1.split_once(')')?.0;
        layout.architecture(inner).map(str::to_owned)
    };
    let told = |key, of: &dyn Fn(&Text) -> Option<String>| {
        let text = telling.gathered.stated(key)?;
        Some(telling.stated(of(text)?, text))
    };
    told(Key::Os, &of_name).or_else(|| told(Key::Platform, &of_platform)).or_else(|| told(Key::Python, &of_python))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> (SystemFamily, Option<String>, Option<String>) {
        let system = named(text).unwrap();
        assert_eq!(system.text, text);
        (system.family, system.distribution, system.release)
    }

    #[test]
    fn systems_are_told_by_their_names() {
        let linux = |id: &str, release: &str| {
            (SystemFamily::Linux, Some(id.to_owned()), Some(release.to_owned()).filter(|release| !release.is_empty()))
        };
        for (text, id, release) in [
            ("Ubuntu 22.04.4 LTS (x86_64)", "ubuntu", "22.04"),
            ("Ubuntu Noble Numbat (development branch) (x86_64)", "ubuntu", ""),
            ("CentOS Linux release 7.9.2009 (Core) (x86_64)", "centos", "7.9"),
            ("CentOS Stream 9 (x86_64)", "centos", "9"),
            ("Red Hat Enterprise Linux release 8.9 (Ootpa) (x86_64)", "rhel", "8.9"),
            ("Amazon Linux 2023.6.20241010 (aarch64)", "amzn", "2023.6"),
            ("Amazon Linux 2 (x86_64)", "amzn", "2"),
            ("Debian GNU/Linux 12 (bookworm) (x86_64)", "debian", "12"),
            ("Debian GNU/Linux trixie/sid (x86_64)", "debian", ""),
            ("Fedora Linux 41 (Workstation Edition) (x86_64)", "fedora", "41"),
            ("Arch Linux (x86_64)", "arch", ""),
            ("NixOS 24.05 (Uakari) (x86_64)", "nixos", "24.05"),
            ("Alpine Linux v3.19 (x86_64)", "alpine", "3.19"),
            ("openSUSE Leap 15.6 (x86_64)", "opensuse-leap", "15.6"),
            ("openSUSE Tumbleweed (x86_64)", "opensuse-tumbleweed", ""),
            ("SUSE Linux Enterprise Server 15 SP4 (x86_64)", "sles", "15.4"),
            ("AlmaLinux 8.10 (Cerulean Leopard) (x86_64)", "almalinux", "8.10"),
            ("Pop!_OS 22.04 LTS (x86_64)", "pop", "22.04"),
        ] {
            assert_eq!(known(text), linux(id, release), "{text}");
        }
    }

    #[test]
    fn other_systems_are_told_in_every_language() {
        let of = |family, release: &str| (family, None, Some(release.to_owned()));
        for (text, expected) in [
            ("Mac OSX 10.13.3", of(SystemFamily::Macos, "10.13.3")),
            ("macOS 14.5 (arm64)", of(SystemFamily::Macos, "14.5")),
            ("Microsoft Windows 11 专业版", of(SystemFamily::Windows, "11")),
            ("Майкрософт Windows 10 Pro", of(SystemFamily::Windows, "10")),
            ("Microsoft Windows 10 Home (10.0.19045 64-bitowy)", of(SystemFamily::Windows, "10")),
            ("Microsoft Windows Server 2019 Datacenter", of(SystemFamily::Windows, "Server 2019")),
            ("Microsoft\u{a0}Windows\u{a0}11 Famille", of(SystemFamily::Windows, "11")),
        ] {
            assert_eq!(known(text), expected, "{text}");
        }
        assert_eq!(known("linux (x86_64)"), (SystemFamily::Linux, None, None));
        assert_eq!(
            known("Some Linux Server 7.2 (Paladin) (x86_64)"),
            (SystemFamily::Linux, None, Some("7.2".to_owned()))
        );
        assert_eq!(known("FreeBSD 14"), (SystemFamily::Other, None, None));
    }

    #[test]
    fn a_platform_tells_the_kernel() {
        for (platform, expected) in [
            ("Linux-5.15.0-1031-aws-x86_64-with-glibc2.31", Some("5.15.0-1031-aws")),
            ("Linux-4.18.0-553.8.1.el8_10.x86_64-x86_64-with-glibc2.28", Some("4.18.0-553.8.1.el8_10.x86_64")),
            (
                "Linux-6.7.7-gentoo-dist-x86_64-AMD_Ryzen_9_5950X_16-Core_Processor-with-glibc2.40",
                Some("6.7.7-gentoo-dist"),
            ),
            ("Linux-6.6.72+-x86_64-with-glibc2.35", Some("6.6.72+")),
            ("Linux-3.10.0-1160.el7.x86_64-x86_64-with-centos-7.9.2009-Core", Some("3.10.0-1160.el7.x86_64")),
            ("Windows-10-10.0.22631-SP0", Some("10.0.22631")),
            ("Darwin-19.6.0-x86_64-i386-64bit", Some("19.6.0")),
            ("macOS-14.5-arm64-arm-64bit", None),
        ] {
            assert_eq!(kernel(platform).as_deref(), expected, "{platform}");
        }
    }

    #[test]
    fn a_platform_tells_the_system_where_no_name_does() {
        let of = |platform: &str| of_platform(platform).map(|system| (system.family, system.release));
        assert_eq!(of("Windows-10-10.0.22631-SP0"), Some((SystemFamily::Windows, Some("11".to_owned()))));
        assert_eq!(of("Windows-10-10.0.19045-SP0"), Some((SystemFamily::Windows, Some("10".to_owned()))));
        assert_eq!(of("macOS-14.5-arm64-arm-64bit"), Some((SystemFamily::Macos, Some("14.5".to_owned()))));
        assert_eq!(of("Linux-x"), Some((SystemFamily::Linux, None)));
    }
}
