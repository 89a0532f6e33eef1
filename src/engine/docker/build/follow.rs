//! Which paths a build needs so that it finds what `paths` name, through symbolic links too, as [tonistiigi/fsutil] tells.
//!
//! [tonistiigi/fsutil]: https://github.com/tonistiigi/fsutil/blob/master/followlinks.go

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::go_path::clean;
use super::pattern::Pattern;

/// The patterns for `paths` and for all that they lead to below `root`; `None` where that is everything. A link that leads
/// out of `root` is taken as Docker takes it: as one that stays below.
pub(super) fn follow(root: &Path, paths: &[String]) -> Option<Vec<String>> {
    let mut resolver = Resolver { root, resolved: BTreeSet::new() };
    for path in paths {
        resolver.add(path);
    }
    let mut patterns: Vec<String> = Vec::new();
    for path in resolver.resolved {
        if path.is_empty() {
            return None;
        }
        if !patterns.last().is_some_and(|last| path.starts_with(&format!("{last}/"))) {
            patterns.push(path);
        }
    }
    Some(patterns)
}

struct Resolver<'a> {
    root: &'a Path,
    /// Relative paths and patterns; the root itself is the empty one.
    resolved: BTreeSet<String>,
}

impl Resolver<'_> {
    fn add(&mut self, path: &str) {
        let cleaned = clean(&format!("/{path}"));
        let parts: Vec<&str> = cleaned.split('/').filter(|part| !part.is_empty()).collect();
        let mut current = String::new();
        for (index, part) in parts.iter().enumerate() {
            let folder = std::mem::take(&mut current);
            current = if folder.is_empty() { (*part).to_owned() } else { format!("{folder}/{part}") };
            let targets = self.targets(&folder, part);
            if targets.is_empty() {
                continue;
            }
            if self.resolved.insert(current) {
                let rest = parts[index + 1..].join("/");
                for target in targets {
                    self.add(&format!("{target}/{rest}"));
                }
            }
            return;
        }
        self.resolved.insert(current);
    }

    /// Where the links lead that `name` (perhaps with wildcards) means in `folder`, as paths from the root.
    fn targets(&self, folder: &str, name: &str) -> Vec<String> {
        if !has_wildcard(name) {
            return self.target(folder, name).into_iter().collect();
        }
        let Some(pattern) = Pattern::of_name(name) else { return Vec::new() };
        let names = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let names = names.filter_map(|name| name.file_name().into_string().ok());
        names.filter(|name| pattern.matches(name)).filter_map(|name| self.target(folder, &name)).collect()
    }

    fn target(&self, folder: &str, name: &str) -> Option<String> {
        let target = fs::read_link(self.root.join(folder).join(name)).ok()?.into_os_string().into_string().ok()?;
        Some(if target.starts_with('/') { target } else { format!("{folder}/{target}") })
    }
}

fn has_wildcard(name: &str) -> bool {
    let mut chars = name.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn followed(root: &Path, paths: &[&str]) -> Option<Vec<String>> {
        follow(root, &paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn links_are_followed_to_their_end_and_never_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("real/deep")).unwrap();
        symlink("real", root.join("link")).unwrap();
        symlink("../../../etc/passwd", root.join("real/out")).unwrap();
        symlink("/real/deep", root.join("absolute")).unwrap();
        symlink("loop-b", root.join("loop-a")).unwrap();
        symlink("loop-a", root.join("loop-b")).unwrap();
        symlink("/", root.join("everything")).unwrap();
        let some = |paths: &[&str]| Some(paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>());
        assert_eq!(followed(root, &["plain/file", "./a//b"]), some(&["a/b", "plain/file"]));
        assert_eq!(followed(root, &["link/deep/x"]), some(&["link", "real/deep/x"]));
        assert_eq!(followed(root, &["link/out"]), some(&["etc/passwd", "link", "real/out"]));
        assert_eq!(followed(root, &["abs*"]), some(&["abs*", "real/deep"]));
        assert_eq!(followed(root, &["loop-a/x"]), some(&["loop-a", "loop-b"]));
        assert_eq!(followed(root, &["real", "real/deep"]), some(&["real"]));
        assert_eq!(followed(root, &["everything"]), None);
        assert_eq!(followed(root, &["/"]), None);
        assert_eq!(followed(root, &["../../x"]), some(&["x"]));
    }
}
