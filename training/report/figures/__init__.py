"""The figures of a report, each drawn as an SVG element of the page."""
