# SPDX-License-Identifier: GPL-2.0-only
"""Configuration of Sphinx for "make htmldocs".

The pages link to each other by file name, as in `Clients <clients.rst>`__, so
that the forges show working links. Here these become links to the HTML pages.
"""

import pathlib

from docutils import nodes
from sphinx.util import logging

HERE = pathlib.Path(__file__).resolve().parent

project = 'vfio_ap'
author = 'the authors of vfio_ap'
release = version = (HERE.parent / 'VERSION').read_text(encoding='utf-8').strip()
copyright = author  # pylint: disable=redefined-builtin
extensions = []
exclude_patterns = ['ABI', 'man']
highlight_language = 'none'
smartquotes = False
html_theme = 'alabaster'
html_copy_source = False
html_sidebars = {'**': ['globaltoc.html', 'searchbox.html']}

logger = logging.getLogger(__name__)


def resolve_files(app, doctree):
    """Link to the HTML page of a file name; a file without one is named only."""
    for node in list(doctree.findall(nodes.reference)):
        path, _, anchor = node.get('refuri', '').partition('#')
        if not path or ':' in path:
            continue
        target = (HERE / path).resolve()
        if target.suffix == '.rst' and target.stem in app.env.found_docs:
            node['refuri'] = target.stem + '.html' + ('#' + anchor if anchor else '')
        elif target.exists():
            node.replace_self(nodes.inline(node.astext(), node.astext()))
        else:
            logger.warning('there is no file %s', path, location=node)


def setup(app):
    """Called by Sphinx."""
    app.connect('doctree-read', resolve_files)
    return {'parallel_read_safe': True}
