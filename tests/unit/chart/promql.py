"""What may be asked of an expression without evaluating it: names of metrics, of labels it is drawn by."""

import re

WORDS = {"and", "or", "unless", "bool", "offset", "by", "on", "ignoring", "without"}
_LISTS = re.compile(r"\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)")


def metrics(expr: str) -> set[str]:
    """Names of series: what is left without strings, selectors, windows, groupings and functions."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expr)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", _LISTS.sub(" ", bare))
    bare = re.sub(r"\boffset\s+[\w$]+", " ", bare)
    names = re.findall(r"(?<![\w$.])([a-zA-Z_:][\w:]*)(?![\w:]|\s*\()", bare)
    return {name for name in names if name not in WORDS}


def selectors(expr: str, prefix: str) -> list[str]:
    """`{...}` of each series whose name begins so; "" where there is none."""
    return [found[1] for found in re.finditer(rf"\b{prefix}\w*(\{{[^}}]*\}})?", expr)]
