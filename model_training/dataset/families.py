"""Families of fakes: makers that leave traces of one sort, each judged by a head of its own.

One head for everything is pulled towards the family with the most pictures; on pictures by today's
generators a head that knows these alone is far ahead (experiments.md, 12).
"""

from __future__ import annotations

#: The heads of a judge, in the order of its outputs: one over all fakes, then one a family.
HEADS = ("any", "gan", "modern", "swap", "retouch")
#: The family of each kind of fake. A kind that is not named here counts for the first head alone.
FAMILIES = {
    **dict.fromkeys(
        (
            "stylegan",
            "stylegan2",
            "stylegan3",
            "stylegan-studio",
            "attribute-edit",
            "mobilestylegan",
        ),
        "gan",
    ),
    **dict.fromkeys(
        ("face-swap", "reenactment", "lip-sync", "self-blend", "partial", "self-made"), "swap"
    ),
    "retouch": "retouch",
    # diffusion, autoregressive, and the autoencoders that most of them end with
    **dict.fromkeys(
        (
            "diffusion",
            "autoencoded",
            "sdxl",
            "sd15",
            "sd3",
            "flux-schnell",
            "flux-dev",
            "flux-pro",
            "flux-lovable",
            "flux",
            "flux-other",
            "app-t2i",
            "other-t2i",
            "gpt-image",
            "dalle3",
            "dalle2",
            "gemini",
            "imagen",
            "qwen-image",
            "qwen-or-flux-edit",
            "midjourney",
            "ideogram",
            "grok",
            "firefly",
            "leonardo",
            "seedream",
            "hunyuan",
        ),
        "modern",
    ),
}


def head_of(label: int, kind: str) -> int:
    """The index into ``HEADS`` of a picture's own head: 0 for a photograph, and for a fake whose
    kind belongs to no family."""
    return HEADS.index(FAMILIES[kind]) if label and kind in FAMILIES else 0
