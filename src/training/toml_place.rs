//! Where in a text of TOML something stands: the parser tells an offset, a setting is known by its keys, and people are told
//! line and column.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// "line 3, column 1", of the byte at `at`.
pub fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    format!("line {line}, column {column}")
}

/// The keys that lead to what stands at `at`, the outermost first. None where that belongs to no key, or the text is no TOML.
pub fn keys_at(text: &str, at: usize) -> Vec<String> {
    let mut keys = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        follow(table.get_ref(), at, &mut keys);
    }
    keys.reverse();
    keys
}

/// Gathers the keys from the innermost outwards; whether there are any. A table under a head of its own lies elsewhere than its
/// head, so that every table is searched.
fn follow(table: &DeTable<'_>, at: usize, keys: &mut Vec<String>) -> bool {
    let found = table.iter().find(|(key, value)| {
        let inner = value.get_ref().as_table().is_some_and(|inner| follow(inner, at, keys));
        inner || key.span().contains(&at) || value.span().contains(&at)
    });
    if let Some((key, _)) = found {
        keys.push(key.get_ref().to_string());
    }
    found.is_some()
}

/// Where the key stands that these keys lead to; in an array its number is the key. `None` where there is none.
pub fn start_of(text: &str, keys: &[&str]) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (last, path) = keys.split_last()?;
    let mut within = table.get_ref();
    let mut path = path.iter();
    while let Some(key) = path.next() {
        within = match value(within, key)? {
            DeValue::Table(inner) => inner,
            DeValue::Array(tables) => tables.get(path.next()?.parse::<usize>().ok()?)?.get_ref().as_table()?,
            _ => return None,
        };
    }
    within.keys().find(|key| key.get_ref() == last).map(|key| key.span().start)
}

fn value<'a, 'text>(table: &'a DeTable<'text>, key: &str) -> Option<&'a DeValue<'text>> {
    table.iter().find(|(own, _)| own.get_ref() == key).map(|(_, value)| Spanned::get_ref(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_to_a_place_and_back() {
        let text = "a = 1\n[b]\nkind = \"ä\"\nc = { d = 2 }\n[[e]]\nf = 1\n[[e]]\n  f = 2\n";
        for (keys, expected) in [
            (&["a"][..], "line 1, column 1"),
            (&["b", "kind"], "line 3, column 1"),
            (&["b", "c", "d"], "line 4, column 7"),
            (&["e", "1", "f"], "line 8, column 3"),
        ] {
            let at = start_of(text, keys).unwrap();
            assert_eq!(place(text, at), expected);
            assert!(keys[0] == "e" || keys_at(text, at) == keys, "{keys:?}");
        }
        assert_eq!(keys_at(text, text.find("2 }").unwrap()), ["b", "c", "d"], "a value leads to its key");
        assert_eq!(
            (start_of(text, &["b", "x"]), start_of(text, &["a", "x"]), start_of(text, &["e"; 3])),
            (None, None, None)
        );
        assert!(keys_at("= =", 0).is_empty());
    }
}
