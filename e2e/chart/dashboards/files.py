"""The dashboards as files of the chart."""

from e2e.chart.dashboards import debug, executives, on_call
from e2e.chart.helm import CHART

FOLDER = CHART / "files" / "dashboards"
ALL = {"executives": executives.DASHBOARD, "on-call": on_call.DASHBOARD, "debug": debug.DASHBOARD}


def texts() -> dict[str, str]:
    """By name of the file."""
    return {f"{name}.json": dashboard.text() for name, dashboard in ALL.items()}


def write() -> None:
    """In place of what is there."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, text in texts().items():
        (FOLDER / name).write_text(text)
