"""Compilers and Envoy: find them, fetch them; turn a project folder into a module.

Promises: a tool that is found runs; a fetch is whole or absent; a build never writes the user's folder.
May import: ``weft.project``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""

from weft.toolchains.builder_image import BuilderImage
from weft.toolchains.language import Execute, Job, Language
from weft.toolchains.languages import LANGUAGES
from weft.toolchains.sdk import sdk_folder
from weft.toolchains.search import Absent, Found
from weft.toolchains.tool import TOOLS, Tool
from weft.toolchains.toolbox import Toolbox
from weft.toolchains.workbench import StepFailed, compiler_environment, executor

__all__ = [
    "LANGUAGES",
    "TOOLS",
    "Absent",
    "BuilderImage",
    "Execute",
    "Found",
    "Job",
    "Language",
    "StepFailed",
    "Tool",
    "Toolbox",
    "compiler_environment",
    "executor",
    "sdk_folder",
]
