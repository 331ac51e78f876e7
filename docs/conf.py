"""Configuration of the documentation; building it needs no network and fails on any warning."""

import importlib
import inspect
import os
import re
from pathlib import Path

import skrecall

os.environ.setdefault("MPLBACKEND", "Agg")

DOCS = Path(__file__).parent

project = "skrecall"
author = "The skrecall developers"
project_copyright = "The skrecall developers. BSD 3-clause licence"
release = version = skrecall.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinxcontrib.bibtex",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
# A name in single backticks is linked where it is public, and shown as code where it is not.
default_role = "py:obj"

autodoc_typehints = "none"
autodoc_default_options = {"members": True, "inherited-members": False}
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
# Attributes such as n_features_in_ exist in many classes; a docstring that names one means its own.
suppress_warnings = ["ref.python"]

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"

html_theme = "pydata_sphinx_theme"
html_title = "skrecall"
html_show_sourcelink = False
html_theme_options = {
    "navigation_depth": 2,
    "show_nav_level": 2,
    "show_toc_level": 2,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
}

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"__init__\.py|quickstart\.py",
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
    "reset_modules": ("matplotlib",),
    "doc_module": ("skrecall",),
    "reference_url": {"skrecall": None},
    "backreferences_dir": "api/examples_of",
    "inspect_global_variables": True,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 0,
    "notebook_images": False,
    "plot_gallery": "True",
}


def write_api_pages(app, config):
    """Write one page per folder, listing its `__all__`; autosummary writes the rest."""
    api = DOCS / "api"
    api.mkdir(exist_ok=True)
    toctree = ["API reference", "=============", "", ".. toctree::", "   :maxdepth: 1", ""]
    for folder in skrecall._FOLDERS:
        module = importlib.import_module(f"skrecall.{folder}")
        title = f"skrecall.{folder}"
        summary = inspect.getdoc(module).partition("\n\n")
        lines = [title, "=" * len(title), "", summary[0], "", summary[2], ""]
        lines += [f".. currentmodule:: {title}", ""]
        names = module.__all__
        kinds = {
            "Classes": [name for name in names if inspect.isclass(getattr(module, name))],
            "Functions": [name for name in names if inspect.isfunction(getattr(module, name))],
        }
        for kind, members in kinds.items():
            if members:
                lines += [f".. rubric:: {kind}", "", ".. autosummary::", "   :toctree: generated"]
                lines += ["", *(f"   {name}" for name in members), ""]
        write_if_changed(api / f"{folder}.rst", "\n".join(lines))
        toctree.append(f"   {folder}")
    write_if_changed(api / "index.rst", "\n".join([*toctree, ""]))


def write_if_changed(path, text):
    """Leave an unchanged page alone, so that it is not built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


LOADED_FROM_ELSEWHERE = re.compile(
    r"""<(?:script|img|iframe)\b[^>]*\ssrc=["'](?:https?:)?//[^"']+"""
    r"""|<link\b[^>]*\brel=["'](?:stylesheet|preload|preconnect)["'][^>]*\shref=["'](?:https?:)?//[^"']+"""
)


def refuse_pages_that_need_the_network(app, exception):
    """Fail when a page would load a script, a style or a picture from another host."""
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        found = LOADED_FROM_ELSEWHERE.search(page.read_text(encoding="utf-8"))
        if found:
            raise RuntimeError(f"{page.relative_to(app.outdir)} loads {found[0]!r}")


def skip_what_scikit_learn_generates(app, what, name, obj, skip, options):
    """Leave out the request setters of metadata routing, which every estimator has."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def resolve_terms_of_scikit_learn(app, env, node, contnode):
    """Show a term of scikit-learn's glossary, met in a docstring it handed down, as plain text."""
    return contnode if node["reftype"] == "term" else None


def setup(app):
    """Write the API pages before sphinx looks for sources, and check what it wrote."""
    app.connect("config-inited", write_api_pages)
    app.connect("autodoc-skip-member", skip_what_scikit_learn_generates)
    app.connect("missing-reference", resolve_terms_of_scikit_learn)
    app.connect("build-finished", refuse_pages_that_need_the_network)
