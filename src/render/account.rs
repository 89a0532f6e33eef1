use serde::Serialize;

/// The name that stands in for a user without an entry in the password file: torch up to 2.12 asks for one, and takes it from
/// `LOGNAME`.
const NAMELESS: &str = "app";

/// What containers run as, in all the forms that a Dockerfile needs.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Account {
    /// What follows `USER`.
    pub(super) user: String,
    /// What follows `--chown=`.
    pub(super) owner: String,
    /// The account to make; empty where there is none to make.
    #[serde(rename = "account")]
    pub(super) made: String,
    as_root: bool,
    /// The number of the user that has no account; else empty.
    uid: String,
    gid: String,
    pub(super) home: String,
    /// The name that programs are told.
    login: String,
}

impl Account {
    /// The account of `user`: a name, `UID` or `UID:GID`.
    pub(super) fn of(user: &str) -> Self {
        // A user that the password file does not know has the group 0, as engines have it.
        let (uid, gid) = user.split_once(':').unwrap_or((user, "0"));
        let account = |home: String, login: &str| Self {
            user: user.to_owned(),
            owner: format!("{uid}:{gid}"),
            made: String::new(),
            as_root: false,
            uid: String::new(),
            gid: String::new(),
            home,
            login: login.to_owned(),
        };
        if uid == "root" || uid == "0" {
            return Self { as_root: true, owner: "root:root".to_owned(), ..account("/root".to_owned(), "root") };
        }
        if uid.starts_with(|c: char| c.is_ascii_digit()) {
            let (uid, gid) = (uid.to_owned(), gid.to_owned());
            return Self { uid, gid, ..account(format!("/home/{NAMELESS}"), NAMELESS) };
        }
        let owner = format!("{user}:{user}");
        Self { owner, made: user.to_owned(), ..account(format!("/home/{user}"), user) }
    }

    /// The user without a group.
    pub(super) fn name(&self) -> &str {
        self.user.split(':').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_root_or_a_name_or_numbers() {
        for (user, owner, made, as_root, home, login) in [
            ("app", "app:app", "app", false, "/home/app", "app"),
            ("root", "root:root", "", true, "/root", "root"),
            ("0:0", "root:root", "", true, "/root", "root"),
            ("12345", "12345:0", "", false, "/home/app", "app"),
            ("12345:67", "12345:67", "", false, "/home/app", "app"),
        ] {
            let account = Account::of(user);
            assert_eq!((&*account.user, &*account.owner, &*account.made), (user, owner, made));
            assert_eq!((account.as_root, &*account.home, &*account.login), (as_root, home, login));
        }
        assert_eq!((&*Account::of("12345").uid, &*Account::of("12345").gid), ("12345", "0"));
    }
}
