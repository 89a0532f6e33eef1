//! The channels that conda takes packages from
//! (<https://docs.conda.io/projects/conda/en/latest/user-guide/concepts/channels.html>).

use super::super::draft::Draft;
use super::super::url::{has_variable, without_credentials};
use crate::model::{Index, IndexBinding, IndexRole, Origin};

/// A channel as a file names it.
pub(in crate::inspect) struct Channel<'a> {
    /// Its name or URL.
    pub(in crate::inspect) name: &'a str,
    /// What is to come from it.
    pub(in crate::inspect) bindings: Vec<IndexBinding>,
    pub(in crate::inspect) origin: Origin,
}

/// Takes up a channel, once.
pub(in crate::inspect) fn channel(draft: &mut Draft<'_>, channel: &Channel<'_>) {
    let stripped = without_credentials(channel.name);
    if stripped.literal {
        draft.warn_of_credential(&channel.origin);
    }
    let url = without_token(draft, stripped.text.trim_end_matches('/'), &channel.origin);
    let known = |index: &Index| index.role == IndexRole::Channel && index.url == url;
    if draft.project.indexes.iter().any(known) {
        return;
    }
    draft.project.indexes.push(Index {
        url,
        role: IndexRole::Channel,
        name: None,
        explicit: false,
        bindings: channel.bindings.clone(),
        origin: channel.origin.clone(),
    });
}

/// The channel without the token that stands in its path as `/t/TOKEN/`
/// (<https://docs.conda.io/projects/conda/en/latest/user-guide/configuration/settings.html#channel-alias-set-a-channel-alias>).
pub(in crate::inspect) fn without_token(draft: &mut Draft<'_>, channel: &str, origin: &Origin) -> String {
    let Some((before, after)) = channel.split_once("/t/").filter(|_| channel.contains("://")) else {
        return channel.to_owned();
    };
    let (token, path) = after.split_once('/').unwrap_or((after, ""));
    if has_variable(token) {
        return channel.to_owned();
    }
    draft.warn_of_credential(origin);
    format!("{before}/{path}")
}
