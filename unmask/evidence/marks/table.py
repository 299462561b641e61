"""The generators' marks, as data: the field, the pattern, what it says, and from where we know it.

Each row is unsigned: anybody can write such a field, so a row is a hint and never proof. ``seen``
rows were read in real files of that maker; the others are from reports of people and programs that
read them. To add a row is enough: its test is made from its ``example``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from unmask.findings import Says

_XMP_SOURCE_TYPE = ("XMP-iptcExt:DigitalSourceType", "XMP-iptcExt:DigitalSourceFileType")
_PROGRAM = (
    "EXIF:Software",
    "XMP-xmp:CreatorTool",
    "XMP-tiff:Software",
    "PNG:Software",
    "IPTC:OriginatingProgram",
)
_CREDIT = ("XMP-photoshop:Credit", "IPTC:Credit")
_PARAMETERS = ("PNG:parameters", "EXIF:UserComment", "XMP-exif:UserComment")
_DESCRIPTION = ("PNG:Description", "XMP-dc:description", "EXIF:ImageDescription")
_EXIF_TEXTS = ("EXIF:Make", "EXIF:Model", "EXIF:ImageDescription")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class How(StrEnum):
    """How a pattern is held against a field's value."""

    #: The whole value, whatever its case.
    WHOLE = "whole"
    #: Some part of the value.
    PART = "part"
    #: The last part of the path of an address, as controlled vocabularies write their terms.
    TERM = "term"
    #: The value is a JSON object that has a key like the pattern.
    KEY = "key"
    #: The value is a JSON object one of whose members has a key like the pattern.
    INNER_KEY = "inner key"


@dataclass(frozen=True)
class Test:
    """A pattern (a regular expression) that a value of one of the fields has to fit."""

    fields: tuple[str, ...]
    pattern: str
    how: How = How.WHOLE


@dataclass(frozen=True)
class Mark:
    """One row: all of its tests must fit.

    ``maker`` is empty where the mark names none; each of the ``examples`` has a value for each
    test.
    """

    id: str
    maker: str
    says: Says
    tests: tuple[Test, ...]
    examples: tuple[tuple[str, ...], ...]
    source: str
    seen: bool = False


def _source_type(term: str, says: Says, seen: bool = False) -> Mark:
    return Mark(
        f"iptc_{term}",
        "",
        says,
        (Test(_XMP_SOURCE_TYPE, term, How.TERM),),
        ((f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}",),),
        "IPTC NewsCodes, Digital Source Type; spellings: MediaInfoLib pull requests 2275, 2356",
        seen,
    )


def _program(maker: str, pattern: str, *examples: str) -> Mark:
    """A row for a program's name as the whole value, with or without a version."""
    whole = rf"(?:{pattern})(?:[ /,_-]*(?:v|version)?[ ]?\d[\w.+-]*)?(?: \([\w .]+\))?"
    name = re.sub(r"\W", "_", maker.lower())
    return Mark(
        f"program_{name}",
        maker,
        Says.GENERATED,
        (Test(_PROGRAM, whole),),
        tuple((example,) for example in examples),
        "programs' own names; remove-ai-watermarks issue 120 for products beside companies",
    )


MARKS: tuple[Mark, ...] = (
    _source_type("trainedAlgorithmicMedia", Says.GENERATED, seen=True),
    _source_type("compositeWithTrainedAlgorithmicMedia", Says.EDITED, seen=True),
    _source_type("algorithmicMedia", Says.GENERATED),
    _source_type("compositeSynthetic", Says.EDITED),
    Mark(
        "iptc_ai_system",
        "",
        Says.GENERATED,
        (Test(("XMP-iptcExt:AISystemUsed", "XMP-iptcExt:AISystemVersionUsed"), r".*\w.*"),),
        (("An image model",),),
        "IPTC Photo Metadata Standard 2025.1",
    ),
    Mark(
        "iptc_ai_prompt",
        "",
        Says.GENERATED,
        (
            Test(
                (
                    "XMP-iptcExt:AIPromptInformation",
                    "XMP-iptcExt:AIPromptWriterName",
                    "XMP-iptcExt:AIPromptWriterNam",
                ),
                r"(?s).*\w.*",
            ),
        ),
        (("A lighthouse at dusk",),),
        "IPTC Photo Metadata Standard 2025.1",
    ),
    Mark(
        "google_made",
        "Google",
        Says.GENERATED,
        (Test(_CREDIT, r"made with google ai"),),
        (("Made with Google AI",),),
        "MediaInfoLib pull request 2275; prompt readers list it for Gemini and Imagen",
    ),
    Mark(
        "google_edited",
        "Google",
        Says.EDITED,
        (Test(_CREDIT, r"edited with google ai"),),
        (("Edited with Google AI",),),
        "files of Google Photos and Gemini, 2025",
        seen=True,
    ),
    Mark(
        "apple_clean_up",
        "Apple",
        Says.EDITED,
        (Test(_CREDIT, r"apple photos clean up"),),
        (("Apple Photos Clean Up",),),
        "reports of files from iOS 18 and later",
    ),
    Mark(
        "apple_image_playground",
        "Apple",
        Says.GENERATED,
        (Test((*_CREDIT, *_PROGRAM), r"(?:apple )?image playground"),),
        (("Apple Image Playground",),),
        "reports of files from iOS 18.2 and later",
    ),
    Mark(
        "stable_diffusion_parameters",
        "Stable Diffusion",
        Says.GENERATED,
        (Test(_PARAMETERS, r"\bSteps: \d+,[^\n]{0,200}?\bSampler: ", How.PART),),
        (("a lighthouse\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, Seed: 1",),),
        "AUTOMATIC1111 issues 270 and 8407; Forge, SD.Next, Civitai and ArtBot write the same",
    ),
    Mark(
        "swarmui",
        "SwarmUI",
        Says.GENERATED,
        (Test(_PARAMETERS, "sui_image_params", How.KEY),),
        (('{"sui_image_params": {"prompt": "a lighthouse", "steps": 20}}',),),
        "Image-MetaHub issue 3",
    ),
    Mark(
        "fooocus",
        "Fooocus",
        Says.GENERATED,
        (Test(("PNG:fooocus_scheme",), "fooocus|a1111"), Test(("PNG:parameters",), r"(?s).+")),
        (("fooocus", '{"prompt": "a lighthouse"}'),),
        "Fooocus pull request 1940",
    ),
    Mark(
        "comfyui_prompt",
        "ComfyUI",
        Says.GENERATED,
        (Test(("PNG:prompt",), "class_type", How.INNER_KEY),),
        (('{"3": {"class_type": "KSampler", "inputs": {"seed": 1}}}',),),
        "ComfyUI issue 73",
    ),
    Mark(
        "comfyui_workflow",
        "ComfyUI",
        Says.GENERATED,
        (Test(("PNG:workflow",), "nodes", How.KEY),),
        (('{"last_node_id": 9, "nodes": [], "links": []}',),),
        "ComfyUI issue 73",
    ),
    Mark(
        "comfyui_exif",
        "ComfyUI",
        Says.GENERATED,
        (Test(_EXIF_TEXTS, r"(?s)(?:prompt|workflow):\s*\{.*"),),
        (('Prompt:{"3": {"class_type": "KSampler"}}',),),
        "save-image-extended issue 45, Illustra issue 52",
    ),
    Mark(
        "invokeai",
        "InvokeAI",
        Says.GENERATED,
        (
            Test(
                (
                    "PNG:invokeai_metadata",
                    "PNG:invokeai_graph",
                    "PNG:invokeai_workflow",
                    "PNG:sd-metadata",
                ),
                r"\w+",
                How.KEY,
            ),
        ),
        (('{"app_version": "5.0", "generation_mode": "txt2img"}',),),
        "lap issue 197",
    ),
    Mark(
        "invokeai_dream",
        "InvokeAI",
        Says.GENERATED,
        (Test(("PNG:Dream",), r"\s-s ?\d+\b", How.PART),),
        (('"a lighthouse" -s 50 -S 1234 -W 512 -H 512 -C 7.5 -A k_lms',),),
        "InvokeAI before 3.0, by readers of its files",
    ),
    Mark(
        "easy_diffusion",
        "Easy Diffusion",
        Says.GENERATED,
        (Test(("PNG:use_stable_diffusion_model",), r"(?s).+"),),
        (("sd-v1-5",),),
        "Image-MetaHub's readme",
    ),
    Mark(
        "novelai",
        "NovelAI",
        Says.GENERATED,
        (Test(("PNG:Software", "EXIF:Software"), r"(?s)novelai(?:\b.*)?"),),
        (("NovelAI",),),
        "NovelAI's novelai-image-metadata; DiffusionToolkit issue 274",
    ),
    Mark(
        "midjourney_job",
        "Midjourney",
        Says.GENERATED,
        (Test(_DESCRIPTION, rf"\bJob ID: {_UUID}\b", How.PART),),
        (("a lighthouse --ar 3:2 --v 7 Job ID: 123e4567-e89b-12d3-a456-426614174000",),),
        "notes on Midjourney's downloads; Picteus and dataset_tools read it",
    ),
    Mark(
        "xai_signature",
        "xAI",
        Says.GENERATED,
        (
            Test(("EXIF:ImageDescription", "EXIF:UserComment"), r"Signature: [A-Za-z0-9+/=]{40,}"),
            Test(("EXIF:Artist",), _UUID),
        ),
        (("Signature: " + "QUJD" * 12, "123e4567-e89b-12d3-a456-426614174000"),),
        "a download script for Grok Imagine; either field alone is also written by others",
    ),
    Mark(
        "china_label_generated",
        "",
        Says.GENERATED,
        (Test(("XMP-TC260:AIGC", "PNG:AIGC"), r'(?s)\{.*"Label"\s*:\s*"?1"?\s*[,}].*'),),
        (('{"Label": "1", "ContentProducer": "X", "ProduceID": "1"}',),),
        "GB 45438-2025, label 1 (generated); several writers of it read",
    ),
    Mark(
        "china_label_suspected",
        "",
        Says.GENERATED,
        (Test(("XMP-TC260:AIGC", "PNG:AIGC"), r'(?s)\{.*"Label"\s*:\s*"?[23]"?\s*[,}].*'),),
        (('{"Label": "2", "ContentPropagator": "X"}',),),
        "GB 45438-2025, label 2 (possibly) and 3 (suspected); meaning from memory",
    ),
    Mark(
        "firefly_history",
        "Adobe",
        Says.EDITED,
        (Test(("XMP-xmpMM:History.softwareAgent",), r"adobe firefly.*"),),
        (("Adobe Firefly 3",),),
        "lists of Content Credentials readers; spelling not tested on a real file",
    ),
    _program(
        "OpenAI",
        r"(?:openai )?(?:dall[ ·.-]?e|chatgpt|gpt-4o|gpt-image)|openai(?: sora)?|sora",
        "DALL-E 3",
        "ChatGPT",
        "OpenAI Sora",
    ),
    # "imagen" is Spanish for picture, Imagen AI edits photographs, and "gemini" is many things
    _program(
        "Google",
        r"google (?:gemini|imagen)|nano banana(?: pro)?|(?:imagen|gemini)(?= ?\d)",
        "Google Gemini",
        "Imagen 4",
    ),
    _program("Adobe", r"adobe firefly|firefly", "Adobe Firefly"),
    _program("Midjourney", r"midjourney", "Midjourney v7"),
    _program("Stability AI", r"stable ?diffusion(?: xl)?|sdxl|dreamstudio", "Stable Diffusion 2.1"),
    _program(
        "Black Forest Labs",
        r"(?:black forest labs )?flux(?:\.\d)?(?: ?\[?(?:dev|pro|schnell|kontext)\]?)?",
        "FLUX.1 [dev]",
    ),
    _program("Ideogram", r"ideogram(?:\.?ai)?", "Ideogram 3.0"),
    _program("Leonardo", r"leonardo[. ]?ai", "Leonardo.Ai"),
    _program("xAI", r"(?:xai )?grok(?: imagine)?", "Grok Imagine"),
    _program(
        "Microsoft",
        r"bing image creator|microsoft designer|image creator from designer",
        "Bing Image Creator",
        "Microsoft Designer",
    ),
    _program("ByteDance", r"seedream|jimeng|dreamina|doubao", "Seedream 4.0"),
    _program("Recraft", r"recraft", "Recraft V3"),
    _program("Krea", r"krea(?:\.| )?ai", "Krea AI"),
    _program("Fooocus", r"fooocus", "Fooocus v2.5.5"),
    _program("InvokeAI", r"invoke ?ai", "InvokeAI"),
    _program("ComfyUI", r"comfyui", "ComfyUI"),
    _program("Draw Things", r"draw things", "Draw Things"),
    _program("AI Horde", r"artbot(?: for stable diffusion)?|stable ui|ai horde", "ArtBot"),
)
