//! How pixi takes distributions from package indexes (<https://pixi.sh/latest/reference/pixi_manifest/#the-pypi-options-table>).

use toml::de::DeValue;

use super::super::folder::parent;
use super::super::pep508;
use super::super::text::shown;
use super::super::toml_file::Value;
use super::super::url::{check, without_credentials};
use super::{Reader, Scope};
use crate::model::{Error, Index, IndexRole, IsolationExempt, Note, Origin, RequirementRole, Result};

impl<'t> Reader<'_, '_, 't> {
    pub(super) fn options(&mut self, scope: &Scope<'t>) -> Result<()> {
        let path = [scope.path.as_slice(), &["pypi-options"]].concat();
        let Some(table) = self.toml.get(&path) else { return Ok(()) };
        if !scope.groups.contains(&None) {
            let message = format!("`{}` holds whichever environment is chosen", shown(&path.join(".")));
            self.draft.note(Note::info(message, self.toml.origin(table.span())));
        }
        for (key, value) in self.toml.entries(table, &path)? {
            let origin = self.toml.origin(value.span());
            if key == "dependency-overrides" {
                let path = path.clone();
                let scope = Scope { path, groups: scope.groups.clone(), marker: scope.marker.clone() };
                self.pypi(&scope, "dependency-overrides", RequirementRole::Override)?;
                continue;
            }
            self.draft.account(self.toml.file, 1);
            match key {
                "index-url" => self.indexes(value, &[path.as_slice(), &[key]].concat(), IndexRole::Primary)?,
                "extra-index-urls" => self.indexes(value, &[path.as_slice(), &[key]].concat(), IndexRole::Extra)?,
                "find-links" => self.find_links(value, &origin)?,
                "no-build-isolation" => self.without_isolation(value, &[path.as_slice(), &[key]].concat())?,
                _ => {
                    let message = format!("`pypi-options.{}` is not followed", shown(key));
                    self.draft.noted(self.toml.file, Note::info(message, origin));
                    continue;
                }
            }
            self.draft.fact(self.toml.file);
        }
        Ok(())
    }

    fn indexes(&mut self, value: &Value<'_>, path: &[&str], role: IndexRole) -> Result<()> {
        for (url, origin) in self.toml.strings(value, path, true)? {
            self.push(url, role, origin)?;
        }
        Ok(())
    }

    fn push(&mut self, url: &str, role: IndexRole, origin: Origin) -> Result<()> {
        let stripped = without_credentials(url);
        if stripped.literal {
            self.draft.warn_of_credential(&origin);
        }
        check(&stripped.text).map_err(|error| error.at(origin.clone()))?;
        let (url, name) = (stripped.text, None);
        self.draft.project.indexes.push(Index { url, role, name, explicit: false, bindings: Vec::new(), origin });
        Ok(())
    }

    /// `[{ path = … }, { url = … }]`.
    fn find_links(&mut self, value: &Value<'_>, origin: &Origin) -> Result<()> {
        let wrong =
            || Error::usage("`find-links` must be a list of `{ path = … }` and `{ url = … }`").at(origin.clone());
        for item in value.get_ref().as_array().ok_or_else(wrong)? {
            let origin = self.toml.origin(item.span());
            let text = |key: &str| item.get_ref().get(key).and_then(|value| value.get_ref().as_str());
            match (text("url"), text("path")) {
                (Some(url), _) => self.push(url, IndexRole::FindLinks, origin)?,
                (None, Some(path)) => {
                    let located = self.draft.folder.locate(parent(self.toml.file), path);
                    let located = located.map_err(|error| error.at(origin.clone()))?;
                    self.draft.file(&located);
                    let (url, role) = (located.path, IndexRole::FindLinks);
                    let index = Index { url, role, name: None, explicit: false, bindings: Vec::new(), origin };
                    self.draft.project.indexes.push(index);
                }
                (None, None) => return Err(wrong()),
            }
        }
        Ok(())
    }

    /// `true` for all, or names.
    fn without_isolation(&mut self, value: &Value<'_>, path: &[&str]) -> Result<()> {
        let exempt = &mut self.draft.project.isolation_exempt;
        if let DeValue::Boolean(all) = value.get_ref() {
            let origin = self.toml.origin(value.span());
            exempt.extend(all.then_some(IsolationExempt { package: None, origin }));
            return Ok(());
        }
        for (name, origin) in self.toml.strings(value, path, false)? {
            let package = Some(pep508::parse_name(name).map_or_else(|| shown(name), |(name, _)| name));
            exempt.push(IsolationExempt { package, origin });
        }
        Ok(())
    }
}
