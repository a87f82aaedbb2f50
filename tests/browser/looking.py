"""What is asked of a page that a browser has laid out. Each answer is a list of complaints."""

from typing import Any

CLIPPED = """() => [...document.querySelectorAll('figure > svg')].filter(s => s.getClientRects().length)
.flatMap(s => { const box = s.getBoundingClientRect();
  return [...s.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()])
    .filter(([t, r]) => r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1
      || r.bottom > box.bottom + 1)
    .map(([t]) => s.querySelector('title').textContent + ': ' + t.textContent) })"""

OVERLAPPING = """() => [...document.querySelectorAll('figure > svg')].filter(s => s.getClientRects().length)
.flatMap(s => { const all = [...s.querySelectorAll('text')].map(t => [t.textContent, t.getBBox()]);
  return all.flatMap(([a, p], i) => all.slice(i + 1).filter(([b, q]) =>
      Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x) > 1
      && Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y) > 4)
    .map(([b]) => s.querySelector('title').textContent + ': ' + a + ' / ' + b)) })"""

SPILLED = """() => [...document.querySelectorAll('td, th, p, li, h1, h2, h3, figcaption')].filter(e =>
  e.getClientRects().length && !e.closest('.wide') && e.tagName !== 'TH'
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
.map(e => e.textContent.slice(0, 60))"""

FOCUS = """() => { const e = document.activeElement;
  return e === document.body ? '' : e.tagName + ' ' + (e.getAttribute('aria-label') || e.textContent) }"""


def keys(page: Any, most: int = 60) -> list[str]:
    """What Tab comes to, in order, until it leaves the page."""
    found: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUS)
        if not here:
            break
        found.append(here)
    return found


def wide(page: Any) -> int:
    """Pixels by which the page is broader than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
