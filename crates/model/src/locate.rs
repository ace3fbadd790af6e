//! From a path in a plan to its line and column in the text.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::error::{Part, Path, Position, Segment};

/// The longest text of a plan.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// The most parser events of one plan. A plan of thousands of steps has some tens of thousands.
pub const EVENTS_MAX: usize = 200_000;
/// The longest chain of aliases followed from one node.
const ALIAS_CHAIN_MAX: usize = 16;

/// The text without the byte order mark that some editors put first: the two YAML parsers disagree about it.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// The lines of the text without their ends, `\n`, `\r\n` or `\r`, as the parser counts them.
pub fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    for line in without_mark(text).split('\n') {
        lines.extend(line.strip_suffix('\r').unwrap_or(line).split('\r'));
    }
    lines
}

/// Where every node of one document stands. Built only when there is an error to show.
///
/// A text that is not YAML is known as far as it could be read; a path into the rest has its nearest known ancestor.
#[derive(Debug)]
pub struct Locator {
    /// Characters in each line: a span over several lines is marked to the end of its first.
    line_lengths: Vec<usize>,
    nodes: Vec<Node>,
    root: Option<usize>,
}

#[derive(Debug)]
struct Node {
    span: Span,
    content: Content,
}

/// What a node holds; nodes are named by their index, so that nothing here is recursive.
#[derive(Debug)]
enum Content {
    Scalar,
    /// Nothing is written: its key is what can be pointed at.
    Empty,
    List(Vec<usize>),
    Mapping(Vec<Entry>),
    /// The node of the anchor, if it is known.
    Alias(Option<usize>),
}

#[derive(Debug)]
struct Entry {
    /// None for a key that is a list or a mapping: no path leads through it.
    name: Option<String>,
    key: usize,
    value: Option<usize>,
}

impl Locator {
    /// A text that is too long to be a plan is not read at all: its only error has no place.
    pub fn new(text: &str) -> Locator {
        let text = if text.len() > TEXT_BYTES_MAX + 3 {
            ""
        } else {
            text
        };
        let line_lengths = lines(text)
            .iter()
            .map(|line| line.chars().count())
            .collect();
        let mut builder = Builder::default();
        for event in Parser::new_from_str(without_mark(text)).take(EVENTS_MAX) {
            match event {
                Ok((Event::DocumentEnd | Event::StreamEnd, _)) | Err(_) => break,
                Ok((event, span)) => builder.take(event, span),
            }
        }
        Locator {
            line_lengths,
            nodes: builder.nodes,
            root: builder.root,
        }
    }

    /// The place of the node, or of its nearest ancestor that the document has. None if there is no node at all.
    pub fn position(&self, path: &Path, part: Part) -> Option<Position> {
        let mut node = self.root?;
        let mut key = None;
        let mut part = part;
        for segment in path.segments() {
            match self.step(node, segment) {
                Some((next_key, next)) => (key, node) = (next_key, next),
                None => {
                    // What is missing is best shown at the key that should hold it.
                    part = Part::Key;
                    break;
                }
            }
        }
        match (part, key) {
            (Part::Key, Some(key)) => self.place(key),
            (Part::Value, Some(key)) if matches!(self.nodes.get(node)?.content, Content::Empty) => {
                self.place(key)
            }
            (Part::Key | Part::Value, _) => self.place(node),
        }
    }

    /// Every place where the key that the path ends in is given: more than one if it is repeated.
    pub fn key_positions(&self, path: &Path) -> Vec<Position> {
        let Some((parent, Segment::Key(name))) = path.split_last() else {
            return Vec::new();
        };
        let node = parent
            .segments()
            .iter()
            .try_fold(self.root, |node, segment| {
                Some(self.step(node?, segment).map(|(_, next)| next))
            })
            .flatten()
            .and_then(|node| self.resolve(node));
        let Some(Node {
            content: Content::Mapping(entries),
            ..
        }) = node
        else {
            return Vec::new();
        };
        entries
            .iter()
            .filter(|entry| entry.name.as_ref() == Some(name))
            .filter_map(|entry| self.place(entry.key))
            .collect()
    }

    /// The key, if there is one, and the value that a segment leads to.
    fn step(&self, node: usize, segment: &Segment) -> Option<(Option<usize>, usize)> {
        match (&self.resolve(node)?.content, segment) {
            (Content::List(items), Segment::Index(index)) => Some((None, *items.get(*index)?)),
            (Content::Mapping(entries), Segment::Key(name)) => {
                let entry = entries
                    .iter()
                    .find(|entry| entry.name.as_ref() == Some(name))?;
                Some((Some(entry.key), entry.value?))
            }
            _ => None,
        }
    }

    /// The node itself, or what it is an alias of.
    fn resolve(&self, node: usize) -> Option<&Node> {
        let mut node = self.nodes.get(node)?;
        for _ in 0..ALIAS_CHAIN_MAX {
            match node.content {
                Content::Alias(target) => node = self.nodes.get(target?)?,
                Content::Scalar | Content::Empty | Content::List(_) | Content::Mapping(_) => {
                    return Some(node);
                }
            }
        }
        None
    }

    fn place(&self, node: usize) -> Option<Position> {
        let node = self.nodes.get(node)?;
        let Span { start, end } = node.span;
        // A block mapping has no sign of its own: its first key stands for it.
        if start == end
            && let Content::Mapping(entries) = &node.content
            && let Some(first) = entries.first().and_then(|entry| self.nodes.get(entry.key))
            && first.span.start == start
        {
            return Some(self.span_position(first.span));
        }
        Some(self.span_position(node.span))
    }

    fn span_position(&self, Span { start, end }: Span) -> Position {
        let line = start.line();
        let length = if end.line() == line {
            end.col().saturating_sub(start.col())
        } else {
            let line_length = line
                .checked_sub(1)
                .and_then(|index| self.line_lengths.get(index));
            line_length
                .copied()
                .unwrap_or(0)
                .saturating_sub(start.col())
        };
        Position {
            line,
            column: start.col() + 1,
            length: length.max(1),
        }
    }
}

/// Builds the tree of nodes from events, with a stack of its own: a document nested without limit costs no call stack.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    root: Option<usize>,
    open: Vec<usize>,
    anchors: HashMap<usize, usize>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_empty = span.is_empty() && style == ScalarStyle::Plain;
                let content = if is_empty {
                    Content::Empty
                } else {
                    Content::Scalar
                };
                self.add(content, span, anchor, Some(&text));
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                self.add(Content::Alias(target), span, 0, None);
            }
            Event::SequenceStart(anchor, _) => {
                let node = self.add(Content::List(Vec::new()), span, anchor, None);
                self.open.push(node);
            }
            Event::MappingStart(anchor, _) => {
                let node = self.add(Content::Mapping(Vec::new()), span, anchor, None);
                self.open.push(node);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }

    fn add(&mut self, content: Content, span: Span, anchor: usize, text: Option<&str>) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { span, content });
        // The parser numbers anchors from 1; 0 is none.
        if anchor > 0 {
            self.anchors.insert(anchor, node);
        }
        let parent = self.open.last().and_then(|open| self.nodes.get_mut(*open));
        match parent.map(|parent| &mut parent.content) {
            Some(Content::List(items)) => items.push(node),
            Some(Content::Mapping(entries)) => match entries.last_mut() {
                Some(entry) if entry.value.is_none() => entry.value = Some(node),
                Some(_) | None => entries.push(Entry {
                    name: text.map(str::to_owned),
                    key: node,
                    value: None,
                }),
            },
            Some(Content::Scalar | Content::Empty | Content::Alias(_)) | None => {
                self.root.get_or_insert(node);
            }
        }
        node
    }

    /// A collection in brackets ends where its bracket does; one in block style keeps its empty span.
    fn close(&mut self, end: Span) {
        let node = self.open.pop().and_then(|node| self.nodes.get_mut(node));
        if let Some(node) = node
            && !node.span.is_empty()
        {
            node.span.end = end.end;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::locate::*;

    /// Line, column and the text under the caret.
    fn at(text: &str, path: &str, part: Part) -> (usize, usize, String) {
        let position = Locator::new(text)
            .position(&path.parse().unwrap(), part)
            .unwrap();
        let line = lines(text)[position.line - 1];
        let under = line
            .chars()
            .skip(position.column - 1)
            .take(position.length)
            .collect();
        (position.line, position.column, under)
    }

    fn key(text: &str, path: &str) -> (usize, usize, String) {
        at(text, path, Part::Key)
    }

    fn value(text: &str, path: &str) -> (usize, usize, String) {
        at(text, path, Part::Value)
    }

    fn place(line: usize, column: usize, under: &str) -> (usize, usize, String) {
        (line, column, under.to_owned())
    }

    const PLAN: &str = "\
version: 1   # the first
phases:
  - phase: expand
    steps:
      - add_column: {table: public.vehicles, 'column': \"vehicle status\"}
      - fill:
          table: public.vehicles
          set: {a: b}
  -
    phase: verify
    steps: []
";

    #[test]
    fn keys_and_values_of_block_and_flow_style() {
        assert_eq!(key(PLAN, "version"), place(1, 1, "version"));
        assert_eq!(value(PLAN, "version"), place(1, 10, "1"));
        assert_eq!(value(PLAN, "phases[0]"), place(3, 5, "phase"));
        assert_eq!(value(PLAN, "phases"), place(3, 3, "-"));
        assert_eq!(
            key(PLAN, "phases[0].steps[0].add_column.column"),
            place(5, 46, "'column'")
        );
        assert_eq!(
            value(PLAN, "phases[0].steps[0].add_column.column"),
            place(5, 56, "\"vehicle status\"")
        );
        assert_eq!(
            value(PLAN, "phases[0].steps[1].fill.set"),
            place(8, 16, "{a: b}")
        );
        assert_eq!(value(PLAN, "phases[1].phase"), place(10, 12, "verify"));
        assert_eq!(value(PLAN, "phases[1].steps"), place(11, 12, "[]"));
    }

    #[test]
    fn a_path_that_is_not_there_has_its_nearest_ancestor() {
        assert_eq!(
            key(PLAN, "phases[0].steps[1].fill.forward.x"),
            place(6, 9, "fill")
        );
        assert_eq!(value(PLAN, "phases[0].steps[9]"), place(4, 5, "steps"));
        assert_eq!(value(PLAN, "phases[7].steps"), place(2, 1, "phases"));
        assert_eq!(value(PLAN, "version.a"), place(1, 1, "version"));
        assert_eq!(value(PLAN, "nothing"), place(1, 1, "version"));
        assert_eq!(value(PLAN, "the plan"), place(1, 1, "version"));
    }

    #[test]
    fn scalars_over_several_lines_are_marked_in_their_first() {
        let text = "a: |\n  select 1\n  from t\nb: \"x\n  y\"\nc: plain\n  more\nd:\ne: ''\n";
        assert_eq!(value(text, "a"), place(2, 3, "select 1"));
        assert_eq!(value(text, "b"), place(4, 4, "\"x"));
        assert_eq!(value(text, "c"), place(6, 4, "plain"));
        assert_eq!(value(text, "d"), place(8, 1, "d"));
        assert_eq!(value(text, "e"), place(9, 4, "''"));
    }

    #[test]
    fn an_alias_is_where_it_stands_and_what_is_below_it_is_at_the_anchor() {
        let text = "a: &x {b: 1}\nc: *x\nd: [&x 5, *x]\n";
        assert_eq!(value(text, "c"), place(2, 4, "*x"));
        assert_eq!(value(text, "c.b"), place(1, 11, "1"));
        assert_eq!(value(text, "d[1]"), place(3, 11, "*x"));
        let own = Locator::new("a: &x [*x]\n");
        assert!(
            own.position(&"a[0][0][0]".parse().unwrap(), Part::Value)
                .is_some()
        );
    }

    #[test]
    fn a_repeated_key_has_all_its_places() {
        let path = "a.b".parse().unwrap();
        let places = Locator::new("a: {b: 1, b: 2}\n").key_positions(&path);
        assert_eq!(
            places.iter().map(|place| place.column).collect::<Vec<_>>(),
            [5, 11]
        );
        assert_eq!(Locator::new("a: [1]\n").key_positions(&path), []);
        assert_eq!(Locator::new("").key_positions(&path), []);
    }

    #[test]
    fn columns_are_characters_and_a_byte_order_mark_is_none() {
        assert_eq!(value("\u{FEFF}é: {日本: ü}\n", "é.日本"), place(1, 9, "ü"));
        assert_eq!(key("\u{FEFF}a: 1\r\nb: 2\r\n", "b"), place(2, 1, "b"));
        assert_eq!(lines("a\r\nb\rc\nd"), ["a", "b", "c", "d"]);
    }

    #[test]
    fn of_several_documents_the_first_is_known() {
        assert_eq!(value("a: 1\n---\na: 2\n", "a"), place(1, 4, "1"));
    }

    #[test]
    fn a_text_that_is_not_yaml_is_known_as_far_as_it_goes() {
        assert_eq!(value("a: 1\nb: [\nc: }\n", "a"), place(1, 4, "1"));
        for text in [
            "",
            "\n",
            "# only this\n",
            "]",
            "\t",
            "\u{0}",
            "---",
            "%",
            "? ? ?",
            "a: *b",
        ] {
            let _ = Locator::new(text).position(&"a[0].b".parse().unwrap(), Part::Value);
        }
        assert_eq!(Locator::new("").position(&Path::root(), Part::Value), None);
    }

    #[test]
    fn depth_costs_no_stack() {
        let text = "- ".repeat(100_000);
        let locator = Locator::new(&text);
        assert!(
            locator
                .position(&Path::root().index(0).index(0), Part::Value)
                .is_some()
        );
    }
}
