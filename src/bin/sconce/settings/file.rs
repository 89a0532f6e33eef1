use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use sconce::model::{Error, Origin, Result, nearest};
use sconce::plan::Asked;
use serde::Deserialize;
use toml::Spanned;

use super::layer::Layer;
use super::proof::Proof;
use super::value;
use super::words::{Port, Words};

/// The longest configuration file that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// The keys of a configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Keys {
    tag: Option<Spanned<String>>,
    from: Vec<Spanned<String>>,
    python: Option<Spanned<String>>,
    base: Option<Spanned<String>>,
    variant: Option<Spanned<String>>,
    torch_source: Option<Spanned<String>>,
    installer: Option<Spanned<String>>,
    build_network: Option<Spanned<String>>,
    extras: Vec<Spanned<String>>,
    groups: Vec<Spanned<String>>,
    system_packages: Vec<Spanned<String>>,
    env: BTreeMap<Spanned<String>, String>,
    run: Vec<Spanned<String>>,
    ca_bundle: Option<Spanned<PathBuf>>,
    index_url: Option<Spanned<String>>,
    extra_index_urls: Vec<Spanned<String>>,
    platform: Option<Spanned<String>>,
    templates: Option<Spanned<PathBuf>>,
    user: Option<Spanned<String>>,
    workdir: Option<Spanned<String>>,
    entrypoint: Option<Spanned<Words>>,
    cmd: Option<Spanned<Words>>,
    ports: Vec<Spanned<Port>>,
    labels: BTreeMap<Spanned<String>, String>,
    healthcheck: Option<Spanned<String>>,
    profile: Option<Spanned<String>>,
    smoke: Option<Spanned<PathBuf>>,
    gpus: Option<Spanned<String>>,
    memory: Option<Spanned<String>>,
    cpus: Option<Spanned<String>>,
    pids: Option<Spanned<String>>,
    timeout: Option<Spanned<String>>,
}

/// The one table of a `pyproject.toml` that is ours.
#[derive(Debug, Deserialize)]
struct Pyproject {
    #[serde(default)]
    tool: Tool,
}

#[derive(Debug, Default, Deserialize)]
struct Tool {
    sconce: Option<Keys>,
}

/// What the files of the project in `root` and the user's file say.
pub(super) fn project_layers(root: &Path) -> Result<Layer> {
    let own = File::open(&root.join("sconce.toml"), "sconce.toml", Some(root))?.map(|file| file.keys()).transpose()?;
    // What is wrong with a `pyproject.toml` that cannot be read, the reader of projects says better.
    let pyproject = File::open(&root.join("pyproject.toml"), "pyproject.toml", Some(root)).ok().flatten();
    let table = pyproject.map(|file| file.table()).transpose()?.flatten();
    Ok(own.unwrap_or_default().over(table.unwrap_or_default()).over(user_layer()?))
}

/// What the user's file says.
pub(super) fn user_layer() -> Result<Layer> {
    let Some(folder) = super::absolute("XDG_CONFIG_HOME").or_else(|| super::home().map(|home| home.join(".config")))
    else {
        return Ok(Layer::default());
    };
    let path = folder.join("sconce").join("config.toml");
    let file = File::open(&path, &path.display().to_string(), None)?;
    file.map_or_else(|| Ok(Layer::default()), |file| file.keys())
}

/// A configuration file, read.
struct File {
    /// Its name in messages.
    name: String,
    /// Its folder: relative paths in it are relative to that.
    folder: PathBuf,
    text: String,
}

impl File {
    /// Reads the file; `None` where there is none. That the project's folder itself is missing is for its reader to say.
    /// A file of the project in `root` is in there after all links, too.
    fn open(path: &Path, name: &str, root: Option<&Path>) -> Result<Option<Self>> {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        match text(path, root) {
            Ok(text) => Ok(Some(Self { name: name.to_owned(), folder, text })),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::usage(format!("cannot read the configuration file `{name}`: {error}"))
                .at(Origin::file(name, 1))
                .with_hint("make it a readable file of TOML in UTF-8, or take it away")
                .because(error)),
        }
    }

    /// A file that holds nothing but our keys.
    fn keys(&self) -> Result<Layer> {
        self.layer(toml::from_str(&self.text).map_err(|error| self.error(&error))?)
    }

    /// Our table of a `pyproject.toml`. A file that is not TOML at all is for the reader of projects to complain of.
    fn table(&self) -> Result<Option<Layer>> {
        if self.text.parse::<toml::Table>().is_err() {
            return Ok(None);
        }
        let document: Pyproject = toml::from_str(&self.text).map_err(|error| self.error(&error))?;
        document.tool.sconce.map(|keys| self.layer(keys)).transpose()
    }

    fn layer(&self, keys: Keys) -> Result<Layer> {
        let one = |value: Option<Spanned<String>>| value.map(|value| self.asked(value));
        let list = |values: Vec<Spanned<String>>| values.into_iter().map(|value| self.asked(value)).collect();
        Ok(Layer {
            tag: one(keys.tag),
            from: list(keys.from),
            python: one(keys.python),
            base: one(keys.base),
            variant: one(keys.variant),
            torch_source: one(keys.torch_source),
            installer: one(keys.installer),
            build_network: one(keys.build_network),
            extras: list(keys.extras),
            groups: list(keys.groups),
            system_packages: list(keys.system_packages),
            env: keys.env.into_iter().map(|(name, value)| self.variable(name, value)).collect::<Result<_>>()?,
            run: list(keys.run),
            platform: one(keys.platform),
            templates: keys.templates.map(|path| self.path(path)),
            user: one(keys.user),
            workdir: one(keys.workdir),
            entrypoint: keys.entrypoint.map(|words| self.command(words)).transpose()?,
            command: keys.cmd.map(|words| self.command(words)).transpose()?,
            ports: keys.ports.into_iter().map(|port| self.port(port)).collect(),
            labels: keys.labels.into_iter().map(|(key, value)| self.label(key, value)).collect(),
            healthcheck: one(keys.healthcheck),
            ca_bundle: keys.ca_bundle.map(|path| self.path(path)),
            index_url: one(keys.index_url),
            extra_index_urls: list(keys.extra_index_urls),
            proof: Proof {
                profile: one(keys.profile),
                smoke: keys.smoke.map(|path| self.path(path)),
                gpus: one(keys.gpus),
                memory: one(keys.memory),
                cpus: one(keys.cpus),
                pids: one(keys.pids),
                timeout: one(keys.timeout),
            },
        })
    }

    fn asked<T>(&self, value: Spanned<T>) -> Asked<T> {
        let origin = self.origin(value.span().start);
        Asked { value: value.into_inner(), origin }
    }

    /// A path, which is relative to the file.
    fn path(&self, path: Spanned<PathBuf>) -> Asked<PathBuf> {
        let Asked { value, origin } = self.asked(path);
        Asked { value: self.folder.join(value), origin }
    }

    fn command(&self, words: Spanned<Words>) -> Result<Asked<Vec<String>>> {
        let Asked { value, origin } = self.asked(words);
        let value = match value {
            Words::List(words) => words,
            Words::Text(text) => value::words(&text).map_err(|error| error.at(origin.clone()))?,
        };
        Ok(Asked { value, origin })
    }

    fn port(&self, port: Spanned<Port>) -> Asked<String> {
        let Asked { value: Port(value), origin } = self.asked(port);
        Asked { value, origin }
    }

    fn label(&self, key: Spanned<String>, value: String) -> (String, Asked<String>) {
        let Asked { value: key, origin } = self.asked(key);
        (key, Asked { value, origin })
    }

    fn variable(&self, name: Spanned<String>, value: String) -> Result<(String, String)> {
        let Asked { value: name, origin } = self.asked(name);
        value::variable_name(&name).map_err(|error| error.at(origin))?;
        Ok((name, value))
    }

    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or_default();
        Origin::file(&self.name, 1 + before.matches('\n').count())
    }

    fn error(&self, error: &toml::de::Error) -> Error {
        let origin = self.origin(error.span().map_or(0, |span| span.start));
        let message = error.message().trim();
        match message.strip_prefix("unknown field ").and_then(|unknown| unknown.split_once(", expected one of ")) {
            Some((key, keys)) => unknown_key(key, keys).at(origin),
            None => self.wrong_value(message, error.span().map_or(0, |span| span.start)).at(origin),
        }
    }

    /// The error names the key, where one stands before the value, and nothing of the value: it may be a password.
    fn wrong_value(&self, message: &str, offset: usize) -> Error {
        let is_key =
            |key: &&str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let line = self.text.get(..offset).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        let key = line.split_once('=').map(|(key, _)| key.trim()).filter(is_key);
        let message = message.replace('\n', ", ");
        let error = Error::usage(key.map_or(message.clone(), |key| format!("`{key}`: {message}")));
        if message.ends_with("expected a string") { error.with_hint("put the value in quotes") } else { error }
    }
}

/// `key` and each of `keys` stand in backticks.
fn unknown_key(key: &str, keys: &str) -> Error {
    let error = Error::usage(format!("unknown key {}", key.escape_debug()));
    match nearest(key.trim_matches('`'), keys.split(", ").map(|key| key.trim_matches('`'))) {
        Some(meant) => error.with_hint(format!("did you mean `{meant}`? The keys are {keys}")),
        None => error.with_hint(format!("the keys are {keys}")),
    }
}

/// The text of a regular file: a pipe or a device would never end.
fn text(path: &Path, root: Option<&Path>) -> io::Result<String> {
    let refused = |why: String| io::Error::new(ErrorKind::InvalidInput, why);
    let real = fs::canonicalize(path)?;
    if root.map(fs::canonicalize).transpose()?.is_some_and(|root| !real.starts_with(root)) {
        return Err(refused("it leads out of the project folder, through a symbolic link".to_owned()));
    }
    if !fs::metadata(&real)?.is_file() {
        return Err(refused("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    fs::File::open(&real)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(refused(format!("it is longer than {} MiB", LONGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        File { name: "sconce.toml".to_owned(), folder: PathBuf::from("/project"), text: text.to_owned() }
    }

    #[test]
    fn a_value_knows_its_line() {
        let layer = file("# ours\n\npython = '3.12'\nextras = [\n  'dev',\n]\n").keys().unwrap();
        assert_eq!(layer.python, Some(Asked { value: "3.12".into(), origin: Origin::file("sconce.toml", 3) }));
        assert_eq!(layer.extras, [Asked { value: "dev".into(), origin: Origin::file("sconce.toml", 5) }]);
    }

    #[test]
    fn an_unknown_key_is_an_error_at_its_line() {
        let error = file("python = '3.12'\npyhton = '3.12'\n").keys().unwrap_err();
        assert_eq!(error.origin, Some(Origin::file("sconce.toml", 2)));
        assert_eq!(error.message, "unknown key `pyhton`");
        assert!(error.hint.unwrap().starts_with("did you mean `python`? "));
        let hint = file("colour = true\n").keys().unwrap_err().hint.unwrap();
        assert!(hint.starts_with("the keys are `tag`"), "{hint}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_by_its_key() {
        let error = file("variant = 'cpu'\npython = 3.13\n").keys().unwrap_err();
        assert_eq!(
            error.to_string(),
            "sconce.toml:2: `python`: invalid type: floating point `3.13`, expected a string"
        );
        assert_eq!(error.hint.as_deref(), Some("put the value in quotes"));
        let error = file("index-url = https://user:secret@pypi.example.org\n").keys().unwrap_err();
        assert!(error.message.starts_with("`index-url`: ") && !error.message.contains("secret"), "{error}");
        assert!(!file("extras = [\n  3,\n]\n").keys().unwrap_err().message.starts_with('`'));
    }

    #[test]
    fn a_command_is_a_text_or_a_list_and_a_port_a_number_or_a_text() {
        let layer = file("cmd = 'python -m x'\nentrypoint = ['a b', '$c']\nports = [8000, '53/udp']\n").keys().unwrap();
        assert_eq!(layer.command.unwrap().value, ["python", "-m", "x"]);
        assert_eq!(layer.entrypoint.unwrap().value, ["a b", "$c"]);
        assert_eq!(layer.ports.iter().map(|port| port.value.as_str()).collect::<Vec<_>>(), ["8000", "53/udp"]);
        let error = file("cmd = 3\n").keys().unwrap_err();
        assert_eq!(
            error.to_string(),
            "sconce.toml:1: `cmd`: invalid type: integer `3`, expected a string or a list of strings"
        );
        let error = file("user = 'x'\ncmd = \"a 'b\"\n").keys().unwrap_err();
        assert_eq!(error.origin, Some(Origin::file("sconce.toml", 2)));
    }

    #[test]
    fn only_our_table_of_a_pyproject_is_ours() {
        let table = |text| file(text).table();
        assert_eq!(table("[tool.other]\npython = 3\n").unwrap().map(|layer| layer.python), None);
        let layer = table("[project]\nname = 'x'\n[tool.sconce]\nvariant = 'cpu'\n").unwrap().unwrap();
        assert_eq!(layer.variant.unwrap().origin, Origin::file("sconce.toml", 4));
        assert!(table("[tool.sconce]\nvairant = 'cpu'\n").is_err());
        assert!(table("this is not TOML").unwrap().is_none());
    }

    #[test]
    fn only_a_regular_file_of_the_project_is_read() {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (own, other) = (root.path().join("sconce.toml"), elsewhere.path().join("x.toml"));
        fs::write(&other, "tag = 'secret'\n").unwrap();
        let refused = |why: &str| {
            let error = project_layers(root.path()).unwrap_err();
            assert!(error.message.ends_with(why), "{error}");
            assert_eq!(error.origin, Some(Origin::file("sconce.toml", 1)));
            assert!(error.hint.is_some());
            fs::remove_file(&own).unwrap();
        };
        symlink(&other, &own).unwrap();
        refused("through a symbolic link");
        let _socket = UnixListener::bind(&own).unwrap();
        refused("it is not a regular file");
        fs::File::create(&own).unwrap().set_len(LONGEST + 1).unwrap();
        refused("longer than 16 MiB");
        fs::write(&own, b"# \xff\n").unwrap();
        refused("it is not UTF-8 text");
        symlink(&own, &own).unwrap();
        assert!(project_layers(root.path()).is_err());
        fs::remove_file(&own).unwrap();
        // A manifest that cannot be read is none of ours.
        symlink(&other, root.path().join("pyproject.toml")).unwrap();
        assert!(project_layers(root.path()).is_ok());
    }

    #[test]
    fn paths_are_relative_to_their_file() {
        let layer = file("ca-bundle = 'certs/ca.pem'\n").keys().unwrap();
        assert_eq!(layer.ca_bundle.unwrap().value, Path::new("/project/certs/ca.pem"));
    }

    #[test]
    fn a_hostile_variable_name_is_refused() {
        let error = file("[env]\nOK = '1'\n\"A\\nRUN\" = '2'\n").keys().unwrap_err();
        assert_eq!(error.origin, Some(Origin::file("sconce.toml", 3)));
    }

    #[test]
    fn what_stands_above_wins() {
        let above = file("variant = 'cpu'\nextras = ['a']\n[env]\nA = '1'\n").keys().unwrap();
        let below =
            file("variant = 'cu128'\npython = '3.11'\nextras = ['b', 'c']\n[env]\nA = '0'\nB = '2'\n").keys().unwrap();
        let layer = above.over(below);
        assert_eq!(layer.variant.unwrap().value, "cpu");
        assert_eq!(layer.python.unwrap().value, "3.11");
        assert_eq!(layer.extras.len(), 1);
        assert_eq!(layer.env.into_iter().collect::<Vec<_>>(), [("A".into(), "1".into()), ("B".into(), "2".into())]);
    }
}
