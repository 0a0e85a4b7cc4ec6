//! A checker of well-formed XML, strict where it matters: tags nest, attributes are quoted and unique, entities known.

pub struct Tree {
    names: Vec<String>,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Tree {
    pub fn count(&self, name: &str) -> usize {
        self.names.iter().filter(|found| *found == name).count()
    }

    pub fn attributes(&self, key: &str) -> Vec<&str> {
        self.attributes.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect()
    }

    pub fn text(&self) -> String {
        self.text.replace('\u{200b}', "")
    }
}

pub fn parse(document: &str) -> Result<Tree, String> {
    let mut tree = Tree { names: vec![], attributes: vec![], text: String::new() };
    let mut open: Vec<String> = vec![];
    let mut rest = document.trim_end();
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').ok_or("text after the last tag")?;
            if open.is_empty() {
                return Err("text outside the root".into());
            }
            tree.text.push_str(&unescaped(&rest[..end])?);
            rest = &rest[end..];
            continue;
        };
        let end = tag.find('>').ok_or("a tag does not end")?;
        let (inner, after) = (&tag[..end], &tag[end + 1..]);
        rest = after;
        if let Some(name) = inner.strip_prefix('/') {
            let last = open.pop().ok_or("an end without a beginning")?;
            if last != name {
                return Err(format!("<{last}> is ended by </{name}>"));
            }
            continue;
        }
        if open.is_empty() && !tree.names.is_empty() {
            return Err("two roots".into());
        }
        let (inner, closed) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
        let name = inner.split(' ').next().unwrap_or_default();
        if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphanumeric()) {
            return Err(format!("'{name}' is no name"));
        }
        tree.names.push(name.into());
        tree.attributes.extend(attributes(&inner[name.len()..])?);
        if !closed {
            open.push(name.into());
        }
    }
    if open.is_empty() { Ok(tree) } else { Err(format!("{open:?} do not end")) }
}

fn attributes(mut text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = vec![];
    while !text.is_empty() {
        let (key, after) =
            text.strip_prefix(' ').and_then(|text| text.split_once("=\"")).ok_or(format!("no attribute: {text}"))?;
        let (value, after) = after.split_once('"').ok_or("an attribute does not end")?;
        if found.iter().any(|(name, _)| name == key) {
            return Err(format!("attribute {key} twice"));
        }
        found.push((key.into(), unescaped(value)?));
        text = after;
    }
    Ok(found)
}

fn unescaped(text: &str) -> Result<String, String> {
    if let Some(bad) = text.chars().find(|character| *character < ' ' && !"\t\n\r".contains(*character)) {
        return Err(format!("character {bad:?} is not XML"));
    }
    let mut parts = text.split('&');
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').ok_or("a bare ampersand")?;
        words.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            other => return Err(format!("unknown entity {other}")),
        });
        words.push_str(after);
    }
    Ok(words)
}
