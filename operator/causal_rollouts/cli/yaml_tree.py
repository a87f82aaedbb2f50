"""YAML as an API server reads it, with the line and column of each field.

Built from the parser's events and not by its own loader: files may come from
anywhere, and no nesting, anchor or number in them may cost more than its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.resolver import Resolver

DEEPEST = 60
"""Levels of nesting; a manifest has about ten."""

MOST = 100_000
"""Values of one object with its aliases written out: more than an API server stores of one."""

TAG = "tag:yaml.org,2002:"
BARE = ""
"""The tag of a word without quotes."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER, _CONSTRUCTOR = Resolver(), SafeConstructor()


@dataclass(frozen=True, slots=True)
class Place:
    """Both count from 1."""

    line: int
    column: int


class Shape(Enum):
    """Of a node."""

    SCALAR = 1
    LIST = 2
    MAP = 3


@dataclass(slots=True, eq=False)
class Node:
    """text: of a scalar. inner: items of a list; of a map key, value, key, value."""

    shape: Shape
    place: Place
    tag: str = BARE
    text: str = ""
    inner: list[Node] = field(default_factory=list)

    @property
    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Of a map; of anything else none."""
        pairs = self.inner if self.shape is Shape.MAP else []
        return zip(pairs[::2], pairs[1::2], strict=True)

    @property
    def merges(self) -> bool:
        """It is the key `<<`."""
        return self.shape is Shape.SCALAR and (self.tag, self.text) == (BARE, "<<")


class Flaw(Exception):  # noqa: N818 - what is wrong with the text, for a person
    """The text cannot be read, or not from here on."""

    def __init__(self, place: Place, what: str, fix: str) -> None:
        super().__init__(f"{what}; {fix}")
        self.place, self.what, self.fix = place, what, fix


@dataclass(frozen=True, slots=True)
class Document:
    """value: plain JSON. places: of each field by its path, `spec.stages[0].weight`, "" for the whole.

    flaws: what an API server refuses or takes otherwise than it looks, like a key that is given twice.
    """

    value: object
    places: Mapping[str, Place]
    flaws: tuple[tuple[str, Flaw], ...] = ()

    def place(self, path: str) -> Place:
        """Of the field, or where it is missing of the nearest one around it."""
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.places[path]


def documents(text: bytes) -> Iterator[Node]:
    """The root of each document, as far as the text can be read.

    Raises:
        Flaw: where it cannot be read any further.
    """
    stack: list[Node] = []
    anchors: dict[str, Node] = {}
    for event in _events(text):
        if isinstance(event, yaml.CollectionEndEvent):
            node = stack.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            anchors = {}
            continue
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event, anchors)
            if stack:
                stack[-1].inner.append(node)
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append(node)
        else:
            continue
        if len(stack) > DEEPEST:
            raise Flaw(node.place, f"is nested deeper than {DEEPEST} levels", "no manifest is")
        if not stack:
            yield node


def document(root: Node) -> Document:
    """One document in whole.

    Raises:
        Flaw: its aliases make more of it than anybody could store.
    """
    reading = _Reading({"": root.place})
    value = reading.read(root, "", 0)
    return Document(value, reading.places, tuple(reading.flaws))


def items(root: Node) -> list[Node]:
    """The objects of a List as `kubectl get -o yaml` prints one; of anything else itself."""
    found = [value for key, value in root.pairs if key.text == "items" and value.shape is Shape.LIST]
    return found[-1].inner if found and peek(root, "kind").endswith("List") else [root]


def peek(root: Node, name: str) -> str:
    """A text field of the root, "" where there is none; costs nothing, so that big files are skipped fast."""
    return next((value.text for key, value in root.pairs if key.text == name), "")


def _events(text: bytes) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        what = f"is no YAML: {error.problem or error.context}"
        mark = error.problem_mark or error.context_mark
        raise Flaw(_place(mark), what, "correct it; what follows was not read") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        raise Flaw(place, f"is no text: {error.reason}", "give a file in UTF-8") from None
    except ValueError as error:
        raise Flaw(Place(1, 1), f"is no text: {error}", "give a file in UTF-8") from None


def _node(event: yaml.NodeEvent, anchors: dict[str, Node]) -> Node:
    place = _place(event.start_mark)
    match event:
        case yaml.AliasEvent():
            if event.anchor not in anchors:
                raise Flaw(place, f'no anchor is called "{event.anchor}"', "correct the name")
            return anchors[event.anchor]
        case yaml.ScalarEvent():
            # What a bare word means is found out where it is read: most of a big file never is.
            tag = event.tag or (BARE if event.implicit[0] else f"{TAG}str")
            node = Node(Shape.SCALAR, place, tag, event.value)
        case yaml.SequenceStartEvent():
            node = Node(Shape.LIST, place)
        case _:
            node = Node(Shape.MAP, place)
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node


class _Mark(Protocol):
    """Of either of PyYAML's parsers."""

    line: int
    column: int


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


@dataclass(slots=True)
class _Reading:
    """One walk over a document; an alias is walked again wherever it stands."""

    places: dict[str, Place]
    flaws: list[tuple[str, Flaw]] = field(default_factory=list)
    seen: int = 0

    def read(self, node: Node, path: str, depth: int) -> object:
        self.seen += 1
        if self.seen > MOST or depth > DEEPEST:
            what = f"more than {MOST} values or {DEEPEST} levels, aliases written out"
            raise Flaw(node.place, what, "use fewer")
        match node.shape:
            case Shape.LIST:
                return [self._item(item, f"{path}[{i}]", depth) for i, item in enumerate(node.inner)]
            case Shape.MAP:
                return self._map(node, path, depth)
            case Shape.SCALAR:
                return self._scalar(node, path)

    def _item(self, node: Node, path: str, depth: int) -> object:
        self.places[path] = node.place
        return self.read(node, path, depth + 1)

    def _map(self, node: Node, path: str, depth: int) -> dict[str, object]:
        found = self._merged([value for key, value in node.pairs if key.merges], path, depth)
        own: set[str] = set()
        for key, value in node.pairs:
            if key.shape is not Shape.SCALAR:
                self._flaw(path, key, "a key is no text", "write a name")
            elif not key.merges:
                inner = f"{path}.{key.text}".removeprefix(".")
                if key.text in own:
                    self._flaw(inner, key, "is given twice", "remove one")
                own.add(key.text)
                self.places[inner] = key.place
                found[key.text] = self.read(value, inner, depth + 1)
        return found

    def _merged(self, merges: list[Node], path: str, depth: int) -> dict[str, object]:
        """What `<<` brings in, the first of several first; what stands beside it goes before."""
        found: dict[str, object] = {}
        for merge in merges:
            for other in reversed(merge.inner if merge.shape is Shape.LIST else [merge]):
                given = self.read(other, path, depth + 1)
                if isinstance(given, dict):
                    found |= given
                else:
                    self._flaw(path, other, "what is merged holds no fields", "merge a mapping")
        return found

    def _scalar(self, node: Node, path: str) -> object:
        """As an API server takes it: dates, and numbers that it does not know, are texts."""
        tag = node.tag or _RESOLVER.resolve(yaml.ScalarNode, node.text, (True, False))  # type: ignore[no-untyped-call]
        kind, bare = str(tag).removeprefix(TAG), yaml.ScalarNode(str(tag), node.text)
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return bool(_CONSTRUCTOR.construct_yaml_bool(bare))
                case "int" if ":" not in node.text:
                    number = int(_CONSTRUCTOR.construct_yaml_int(bare))
                    return number if -(2**63) <= number < 2**63 else node.text
                case "float" if ":" not in node.text:
                    return float(_CONSTRUCTOR.construct_yaml_float(bare))
        except (ValueError, LookupError, ConstructorError):
            self._flaw(path, node, f"is no {kind}", "correct the value")
        return node.text

    def _flaw(self, path: str, node: Node, what: str, fix: str) -> None:
        self.flaws.append((path, Flaw(node.place, what, fix)))
