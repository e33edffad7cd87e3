"""Reports as HTML pages: one way to fill in their templates."""

from collections.abc import Callable, Mapping
from pathlib import Path

from siman_synth.escaping import printable


def rendered(
    template: Path, values: Mapping[str, object], filters: Mapping[str, Callable[..., str]] | None = None
) -> str:
    """Return the page that a Jinja template makes of values.

    What a page shows is escaped: markup, and what a terminal or an editor would obey. A name that the
    values lack is an error.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if isinstance(value, (str, Path)) else value,
    )
    environment.filters.update(filters or {})
    return str(environment.get_template(template.name).render(values))
