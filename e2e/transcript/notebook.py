"""What was typed, what it printed, and words between: as a page of docs/."""

from dataclasses import dataclass, field

HEAD = """\
# A release by the command line

Every command that a team types for a release, with what it printed. Made by `make transcript`: the
operator's own loop and the commands themselves, over an in-process API server with simulated pods,
traffic and telemetry. So pods are ready at once, and stages take half a minute; `make demo` tells such a
story on a real cluster.
"""


@dataclass(slots=True)
class Notebook:
    """Grows from top to bottom."""

    parts: list[str] = field(default_factory=lambda: [HEAD])

    def chapter(self, title: str, text: str) -> None:
        """A heading with a sentence or two."""
        self.parts.append(f"## {title}\n\n{text}\n")

    def text(self, text: str) -> None:
        """Words between two commands."""
        self.parts.append(f"{text}\n")

    def file(self, name: str, text: str) -> None:
        """A manifest that stands beside the commands."""
        self.parts.append(f"`{name}`:\n\n```yaml\n{text.rstrip()}\n```\n")

    def command(self, line: str, printed: str, code: int) -> None:
        """One command, what came of it, and its exit code where that is not 0."""
        told = f"\nIt ended with {code}.\n" if code else ""
        shown = f"\n```text\n{printed.rstrip()}\n```\n" if printed.strip() else ""
        self.parts.append(f"```sh\n{line}\n```\n{shown}{told}")

    def page(self) -> str:
        """All of it."""
        return "\n".join(self.parts)
