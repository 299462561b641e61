"""The routes of a check's results: its pictures, its faces, and the report as a PDF."""

from __future__ import annotations

from server.api import pictures
from server.api.openapi import Operation, file_content, json_content
from server.routes.route import CHECK, LAYER, Route
from server.web import report
from unmask.permissions import Permission

_JPEG, _PNG, _PDF = (file_content(kind) for kind in ("image/jpeg", "image/png", "application/pdf"))

RESULTS = (
    Route(
        "GET",
        f"{CHECK}/annotated.jpg",
        pictures.result,
        Operation(
            "readAnnotated",
            "The annotated picture",
            "A box and a label for each face, the mask.",
            {"200": _JPEG},
            "not_found",
        ),
    ),
    Route(
        "GET",
        f"{CHECK}/mask.png",
        pictures.result,
        Operation(
            "readMask",
            "The mask",
            "White where the picture was tampered with, in its own size.",
            {"200": _PNG},
            "not_found",
        ),
    ),
    Route(
        "GET",
        f"{CHECK}/heatmap.png",
        pictures.result,
        Operation(
            "readHeatmap",
            "The heatmap",
            "The model's value for each pixel, 0 to 255.",
            {"200": _PNG},
            "not_found",
        ),
        extension=True,
    ),
    Route(
        "GET",
        f"{CHECK}/original.jpg",
        pictures.original,
        Operation(
            "readOriginal",
            "The picture itself",
            "Upright, of bounded size, without metadata.",
            {"200": _JPEG},
            "not_found busy",
        ),
    ),
    Route(
        "GET",
        f"{CHECK}/{LAYER}.png",
        pictures.layer,
        Operation(
            "readLayer",
            "A layer: traces of saving",
            "Where the picture has other traces of saving than elsewhere: `error-levels` (what "
            "saving once more changes), `ghosts` (what was saved before at another quality) or "
            "`noise` (what is more or less grainy). Grey, white where it differs most, in the "
            "picture's shape, its longer side at most 1,600 pixels. It never says that something "
            "is fake. Drawn on demand, which takes seconds for a large photograph, one at a time "
            "(`busy`), and from the bytes as they were sent (`picture_missing` if they are gone).",
            {"200": _PNG},
            "not_found picture_missing busy damaged truncated",
        ),
    ),
    Route(
        "GET",
        f"{CHECK}/face/{{n:[0-9]{{1,3}}}}.jpg",
        pictures.face,
        Operation("readFace", "A face", "The crop of one face.", {"200": _JPEG}, "not_found"),
    ),
    Route(
        "GET",
        f"{CHECK}/metadata",
        pictures.metadata,
        Operation(
            "readMetadata",
            "The metadata of the file",
            "All fields, the telling ones first. They may hold places, names and prompts, so the "
            "secret id of a check does not suffice to read them.",
            {"200": json_content("The fields.", "Metadata")},
            "not_found key_needed key_scope",
        ),
        Permission.READ_METADATA,
    ),
    Route(
        "GET",
        f"{CHECK}/report.pdf",
        report.pdf,
        Operation(
            "readPdf",
            "The report on paper",
            "The report with the annotated picture and each face, as a PDF.",
            {"200": _PDF},
            "not_found",
        ),
    ),
)
