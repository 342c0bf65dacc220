"""Shows the package as it is imported, and its examples as code."""

import re

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class PackageAsImported(griffe.Extension):
    """Mends what a reader of the sources sees otherwise than a user."""

    def on_package(self, *, pkg, **kwargs):
        fence_examples(pkg)
        show_what_files_define(pkg)


def fence_examples(concept):
    """Puts fences around examples, which Markdown takes for quotations."""
    if concept.docstring:
        concept.docstring.value = EXAMPLE.sub(
            r"```pycon\n\g<0>\n```", concept.docstring.value
        )
    for member in concept.members.values():
        if not member.is_alias:
            fence_examples(member)


def show_what_files_define(module):
    """Puts `f` of `f.py` in place of the file, as `from .f import f` does."""
    for name, member in list(module.members.items()):
        if not member.is_alias and member.is_module:
            show_what_files_define(member)
            if name in module.imports and name in member.members:
                module.set_member(
                    name, griffe.Alias(name, member[name], parent=module)
                )
