//! The indexes of uv: <https://docs.astral.sh/uv/concepts/indexes/>

use super::super::draft::Draft;
use super::super::folder::parent;
use super::super::problems::Problems;
use super::super::text::{is_hidden, shown};
use super::super::toml_file::{TomlFile, Value};
use super::super::url::{check, is_url, scheme, without_credentials};
use super::settings::{Setting, Settings};
use crate::model::{Error, Index, IndexBinding, IndexRole, Note, Origin, Result};

/// Takes up the indexes. The first counts most, and the default one least.
pub(super) fn read(draft: &mut Draft<'_>, settings: &Settings<'_, '_>) -> Result<()> {
    let mut problems = Problems::default();
    if let Some(setting) = settings.get("index") {
        problems.note(tables(draft, &setting, false));
    }
    if let (Some(_), Some(setting)) = (settings.uv_toml, settings.of_project("index")) {
        // A source is bound to these by name, nothing else comes from them.
        let message = "`uv.toml` takes the place of `tool.uv`: the indexes here serve only what is bound to them";
        draft.note(Note::info(message, setting.origin()));
        problems.note(tables(draft, &setting, true));
    }
    for (key, role) in [("extra-index-url", IndexRole::Extra), ("find-links", IndexRole::FindLinks)] {
        let Some(setting) = settings.get(key) else { continue };
        let urls = setting.toml.strings(setting.value, &setting.path, true)?;
        draft.account(setting.toml.file, urls.len());
        for (url, origin) in urls {
            problems.note(push(draft, setting.toml, &Named::new(url, role), &origin));
        }
    }
    if let Some(setting) = settings.get("index-url") {
        let url = setting.value.get_ref().as_str().ok_or_else(|| setting.mistyped("a string"))?;
        draft.account(setting.toml.file, 1);
        if draft.project.indexes.iter().any(|index| index.role == IndexRole::Primary) {
            let message = "`index-url` does not count beside an index that is the `default`";
            draft.noted(setting.toml.file, Note::info(message, setting.origin()));
        } else {
            problems.note(push(draft, setting.toml, &Named::new(url, IndexRole::Primary), &setting.origin()));
        }
    }
    if let Some(origin) = settings.is_on("no-index")? {
        let url = String::new();
        let index = Index { url, role: IndexRole::None, name: None, explicit: false, bindings: Vec::new(), origin };
        draft.project.indexes.push(index);
    }
    problems.finish()
}

/// An index as a file gives it.
struct Named<'a> {
    url: &'a str,
    role: IndexRole,
    name: Option<&'a str>,
    explicit: bool,
}

impl<'a> Named<'a> {
    fn new(url: &'a str, role: IndexRole) -> Self {
        Self { url, role, name: None, explicit: false }
    }
}

/// Takes up `[[tool.uv.index]]`.
fn tables(draft: &mut Draft<'_>, setting: &Setting<'_, '_>, explicit: bool) -> Result<()> {
    let tables = setting.value.get_ref().as_array().ok_or_else(|| setting.mistyped("an array of tables"))?;
    draft.account(setting.toml.file, tables.len());
    let mut problems = Problems::default();
    let mut names: Vec<&str> = Vec::new();
    let mut defaults = 0;
    for table in tables {
        let origin = setting.toml.origin(table.span());
        problems.note(table_of(setting, table).and_then(|named| {
            defaults += usize::from(named.role == IndexRole::Primary);
            if defaults > 1 && named.role == IndexRole::Primary {
                return Err(Error::usage("more than one index is the `default`").at(origin.clone()));
            }
            if let Some(name) = named.name {
                if names.contains(&name) {
                    return Err(Error::usage(format!("two indexes have the name `{}`", shown(name))).at(origin.clone()));
                }
                names.push(name);
            }
            let explicit = named.explicit || explicit;
            push(draft, setting.toml, &Named { explicit, ..named }, &origin)
        }));
    }
    problems.finish()
}

fn table_of<'s>(setting: &Setting<'s, '_>, table: &'s Value<'_>) -> Result<Named<'s>> {
    let origin = setting.toml.origin(table.span());
    let string = |key: &str| table.get_ref().get(key).and_then(|value| value.get_ref().as_str());
    let is = |key: &str| table.get_ref().get(key).is_some_and(|value| value.get_ref().as_bool() == Some(true));
    let Some(url) = string("url") else {
        return Err(Error::usage(format!("an index in `{}` has no `url`", setting.name())).at(origin));
    };
    let name = string("name");
    let valid = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if let Some(name) = name.filter(|name| !valid(name)) {
        return Err(Error::usage(format!("`{}` is not a name for an index", shown(name))).at(origin));
    }
    let role = match (string("format"), is("default")) {
        (Some("flat"), _) => IndexRole::FindLinks,
        (_, true) => IndexRole::Primary,
        (_, false) => IndexRole::Extra,
    };
    Ok(Named { url, role, name, explicit: is("explicit") })
}

/// Takes up an index: a URL, or a folder of the project.
fn push(draft: &mut Draft<'_>, toml: &TomlFile<'_>, named: &Named<'_>, origin: &Origin) -> Result<()> {
    let url = address(draft, parent(toml.file), named.url, origin).map_err(|error| error.or_at(origin))?;
    let Some(url) = url else {
        let message = format!("`{}` does not exist in the project", shown(named.url));
        draft.noted(toml.file, Note::warning(message, origin.clone()));
        return Ok(());
    };
    draft.project.indexes.push(Index {
        url,
        role: named.role,
        name: named.name.map(str::to_owned),
        explicit: named.explicit,
        bindings: Vec::new(),
        origin: origin.clone(),
    });
    draft.fact(toml.file);
    Ok(())
}

/// The address of an index, without credentials; `None` for a path that leads nowhere.
pub(super) fn address(draft: &mut Draft<'_>, base: &str, given: &str, origin: &Origin) -> Result<Option<String>> {
    if given.contains(is_hidden) {
        return Err(Error::usage(format!("`{}` holds a character that does not show", shown(given))));
    }
    let stripped = without_credentials(given.trim());
    if stripped.literal {
        draft.warn_of_credential(origin);
    }
    let url = stripped.text;
    let path = url.strip_prefix("file:").filter(|path| !path.starts_with("//"));
    if path.is_none() && (is_url(&url) || url.contains("://")) {
        check(&url)?;
        if scheme(&url).as_deref() == Some("file") {
            return Err(Error::usage(format!("`{}` is a place on this machine, not in the image", shown(&url)))
                .with_hint("name a folder of the project, by a relative path"));
        }
        return Ok(Some(url));
    }
    let path = path.unwrap_or(&url);
    if !draft.folder.holds(base, path) {
        return Ok(None);
    }
    Ok(Some(draft.folder.locate(base, path)?.path))
}

/// Binds a distribution to the index `name`, which a file must define itself.
pub(super) fn bind(draft: &mut Draft<'_>, toml: &TomlFile<'_>, name: &str, binding: IndexBinding) -> Result<()> {
    let known = |draft: &Draft<'_>| draft.project.indexes.iter().position(|index| index.name.as_deref() == Some(name));
    if known(draft).is_none() {
        // A folder that is asked for brings an index of its own for what it binds, and for nothing else.
        let settings = Settings::of(toml, None);
        let setting = settings.of_project("index");
        let tables = setting.as_ref().and_then(|setting| Some((setting, setting.value.get_ref().as_array()?)));
        for (setting, table) in
            tables.iter().flat_map(|(setting, tables)| tables.iter().map(move |table| (setting, table)))
        {
            let named = table_of(setting, table)?;
            if named.name == Some(name) {
                let origin = toml.origin(table.span());
                draft.account(toml.file, 1);
                push(draft, toml, &Named { explicit: true, ..named }, &origin)?;
            }
        }
    }
    let index = known(draft).and_then(|at| draft.project.indexes.get_mut(at));
    let Some(index) = index else {
        return Err(Error::usage(format!(
            "`{}` is to come from the index `{}`, which is not defined",
            binding.package,
            shown(name)
        ))
        .with_hint("define it with `[[tool.uv.index]]`"));
    };
    index.bindings.push(binding);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{indexes, notes, refused, toml};
    use crate::model::IndexRole;

    const HEAD: &str = "[project]\nname = 'x'\ndependencies = ['torch']\n";

    #[test]
    fn indexes_have_their_roles() {
        let project = toml(&format!(
            "{HEAD}[tool.uv]\nextra-index-url = ['https://me:hunter22@pypi.example.org/e']\nindex-url = 'https://pypi.example.org/i'\nfind-links = ['wheels', 'https://files.example.org/l']\nno-index = true\n[[tool.uv.index]]\nname = 'a'\nurl = 'https://pypi.example.org/a'\n[[tool.uv.index]]\nurl = 'https://pypi.example.org/d'\ndefault = true\nexplicit = true\n[[tool.uv.index]]\nurl = 'https://files.example.org/f'\nformat = 'flat'"
        ));
        assert_eq!(
            indexes(&project),
            [
                (IndexRole::Extra, "https://pypi.example.org/a", Some("a"), false),
                (IndexRole::Primary, "https://pypi.example.org/d", None, true),
                (IndexRole::FindLinks, "https://files.example.org/f", None, false),
                (IndexRole::Extra, "https://pypi.example.org/e", None, false),
                (IndexRole::FindLinks, "https://files.example.org/l", None, false),
                (IndexRole::None, "", None, false),
            ]
        );
        let notes = notes(&project).join("\n");
        assert!(notes.contains("`wheels` does not exist") && notes.contains("a password or token"), "{notes}");
        assert!(notes.contains("`index-url` does not count beside an index that is the `default`"), "{notes}");
    }

    #[test]
    fn indexes_that_cannot_be_are_refused() {
        for (tables, why) in [
            ("[[tool.uv.index]]\nname = 'a'", "pyproject.toml:4: an index in `tool.uv.index` has no `url`"),
            (
                "[[tool.uv.index]]\nurl = 'https://a.example.org'\nname = 'a'\n[[tool.uv.index]]\nurl = 'https://b.example.org'\nname = 'a'",
                "pyproject.toml:7: two indexes have the name `a`",
            ),
            (
                "[[tool.uv.index]]\nurl = 'https://a.example.org'\ndefault = true\n[[tool.uv.index]]\nurl = 'https://b.example.org'\ndefault = true",
                "pyproject.toml:7: more than one index is the `default`",
            ),
            (
                "[[tool.uv.index]]\nurl = 'file:///srv'",
                "pyproject.toml:4: `file:///srv` is a place on this machine, not in the image",
            ),
            ("[tool.uv]\nindex = 'x'", "pyproject.toml:5: `tool.uv.index` must be an array of tables, not string"),
        ] {
            assert_eq!(refused(&format!("{HEAD}{tables}")), why);
        }
    }
}
