"""Renders docs/model-card.md from what was measured and the model's manifest alone.

No measured figure is typed by hand; what people saw in the gallery and what training cost stand in
files of their own. :mod:`model_training.report.render` writes the page.
"""

from __future__ import annotations

from model_training.evaluation.markdown import count, figure, flat, percent, plain, table
from model_training.report import sections
from model_training.report.blindspots import blind_spots
from model_training.report.inputs import Records, Table
from unmask.detector.manifest import Manifest

#: Where the pictures come from and under which terms, by the source's name in the data set.
SOURCES = {
    "140k": ("'140k Real and Fake Faces': FFHQ photographs and StyleGAN faces", "as on Kaggle"),
    "all_age": ("web portraits of all ages, mostly Asian, often soft", "its source's, research"),
    "celebahq": ("aligned photographs of celebrities", "its source's, research"),
    "congress": ("studio portraits, plain or flag backdrops", "public domain by origin"),
    "ffhq_1024": ("FFHQ photographs from their full size", "its source's, research"),
    "ffhq_stylegan": (
        "FFHQ photographs and StyleGAN faces, alike in frame",
        "its source's, research",
    ),
    "ffpp": ("video frames in FaceForensics++ style: originals, swaps, reenactments", "research"),
    "omi": ("StyleGAN2 faces, One Million Impressions", "CC BY-NC-SA 4.0"),
    "omi_edit": ("StyleGAN2 attribute edits", "its source's, research"),
    "portraits": ("web portraits, some grey", "CC BY-NC-SA 4.0"),
    "retouch": ("CIPLAB: photographs, and faces retouched by hand", "its source's, research"),
    "sd21": ("Stable Diffusion 2.1 faces", "its source's, research"),
    "studio_gan": ("GAN faces before a plain studio backdrop", "its source's, research"),
    "stylegan3": ("StyleGAN3 faces, a generator never trained on", "its source's, research"),
    "mobilestylegan": (
        "MobileStyleGAN faces made by us with the package random-face",
        "made; Apache-2.0 package",
    ),
    "taef2": (
        "photographs of the sources above passed through FLUX.2's small autoencoder by us",
        "the photograph's own",
    ),
    "ffhq_stylegan_k": (
        "the paper's data: FFHQ photographs and StyleGAN faces of '140k', JPEG 95",
        "non-commercial research",
    ),
    "tpdne_512": ("StyleGAN2 faces of thispersondoesnotexist", "not stated; research"),
    "dfdc": ("DFDC: several face-swapping methods and their originals, tight crops", "research"),
    "swap_clips": ("frames of a dozen clips: swaps, lip sync, reenactments, originals", "research"),
    "sfhq_t2i": ("SFHQ-T2I: SDXL and FLUX portraits", "MIT"),
    "app_builder": ("portraits by FLUX and others on sites made by app builders", "not stated"),
    "lovable_b": ("FLUX portraits on sites made by an app builder", "not stated"),
    "v0_t2i": ("portraits on sites made by an app builder, generator not known", "not stated"),
    "replit_imagen": ("Imagen portraits on sites", "not stated"),
    "replit_imagen_b": ("Imagen portraits on sites, more of them", "not stated"),
    "rin_gemini": ("one invented person by Gemini", "not stated"),
    "nano_gallery": ("Gemini pictures of a gallery", "CC BY 4.0"),
    "gemini_sites": ("pictures signed or marked by Google", "not stated"),
    "gemini_marks": ("portraits signed or marked by Google", "not stated"),
    "gemini_names": ("Gemini pictures by their names", "not stated"),
    "hroc_edit": ("portraits of four people edited by GPT-image, Qwen or FLUX", "not stated"),
    "gpt_sites": ("pictures signed or marked by OpenAI", "not stated"),
    "gpt_marks": ("portraits signed by OpenAI", "not stated"),
    "chatgpt_names": ("GPT-image pictures by their names", "not stated"),
    "midjourney_marks": ("Midjourney portraits by their marks", "not stated"),
    "midjourney_names": ("Midjourney portraits by their names", "not stated"),
    "mj_profile_test": ("Midjourney portraits by the repository's words", "not stated"),
    "bias_audit_flux": ("FLUX.1 schnell portraits of an audit", "as its repository"),
    "other_t2i_marks": ("portraits marked as made, generator not named", "not stated"),
    "sdxl_marks": ("an SDXL portrait by its mark", "not stated"),
    "dalle3_marks": ("a DALL-E 3 portrait by its mark", "not stated"),
    "leonardo_names": ("a Leonardo portrait by its name", "not stated"),
    "sites_real": ("photographs with camera EXIF on the same sites", "not stated"),
    "fossasia": ("speakers and visitors of a conference, many phones", "not stated"),
    "writethedocs": ("speakers and visitors of a conference", "CC BY-NC"),
    "carpentries": ("workshop photographs and video calls", "not stated"),
    "pyohio": ("speakers of a conference", "MIT"),
    "clinic_sites": ("doctors on a clinic's site", "not stated"),
    "exif_samples": ("pictures with camera EXIF", "not stated"),
    "stock": ("stock portraits on website templates older than the generators", "mixed; research"),
    "video_still": ("stills of compressed clips of real people", "mixed; research"),
    "gif_still": ("stills of GIFs of real people", "not stated; research"),
    "tight_faces": ("very tight crops, some grey", "CC BY-NC-SA 4.0"),
    "web_portraits": (
        "web portraits and StyleGAN2 faces of another collector",
        "its source's, research",
    ),
}
UNKNOWN = ("not described", "its source's")


def render(records: Records) -> str:
    """The card as Markdown."""
    metrics, manifest = records.metrics, records.manifest
    parts = (
        _head(metrics, manifest),
        _how(manifest),
        _cannot(records),
        _data(metrics, manifest),
        _training(metrics, manifest),
        _cost(records.cost),
        sections.overall_section(metrics),
        sections.fakes_section(metrics),
        sections.reals_section(metrics),
        _seen(records),
        sections.calibration_section(metrics, manifest),
        sections.crowds_section(records.crowds),
        sections.localisation_section(metrics),
        sections.self_made_section(metrics),
        sections.noise_section(records.noise),
        _versions(manifest),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(metrics: Table, manifest: Manifest) -> str:
    overall, at = metrics["overall"], metrics["overall"]["at_bound"]
    counts = overall["counts"]
    return f"""# Model card: {manifest.name} {manifest.version}

<!-- Written by `python -m model_training modelcard`; edit the template, not this file. -->

Tells whether a face in a photograph shows signs of manipulation or synthesis, and marks where.

On {counts["real"]:,} real and {counts["fake"]:,} fake pictures of the {metrics["split"]} split,
{figure(at["recall"])} of the fakes and {figure(at["false_alarms"])} of the real pictures are
called fake; the area under the ROC curve is {figure(overall["auc"], plain)}. Figures in brackets
are 95 % intervals, drawn again by group (person, clip or photograph) and not by picture.

## Intended use

A second opinion for people who check pictures: fact-checkers, editors, anybody who was sent a
portrait and doubts it. It is made to be read together with the source, the context and a reverse
image search.

It is not made to decide alone. Do not use it to accuse, to remove, to moderate without a person,
to identify anybody or as evidence in a proceeding. A missing finding means that *this* model saw
nothing; it never proves a picture to be untouched."""


def _how(manifest: Manifest) -> str:
    size = manifest.input_size
    return f"""## How it works

1. CenterFace finds faces and five landmarks.
2. Each face is cut out as a square ({manifest.frame}), {size} x {size} pixels.
3. Noise removal: {manifest.denoise}. Normalisation: {manifest.normalisation}.
4. A DenseNet121 gives a logit for each of five heads: one over all fakes, and one for each family
   of fakes (GANs; today's diffusion and autoregressive generators; swaps and partial changes; hand
   retouching). A light decoder over its dense blocks gives a heatmap: for each pixel the
   probability that it was tampered with.
{_joined(manifest)}
6. The heatmap at or above its bound is the mask. It is shown for faces called fake, and for unsure
   ones that are more likely fake than not.

A picture's verdict is that of its most suspicious face."""


def _joined(manifest: Manifest) -> str:
    """How the face's score comes about, one item of a list."""
    rule = (
        "the face's logit is that of its most suspicious family, plus\n"
        f"   {manifest.joining.any_weight:g} times that of the head over all fakes, calibrated"
    )
    if manifest.clip is None:
        return f"5. The judge is this network alone: {rule}. It becomes a verdict."
    shares = ", ".join(f"{name} {percent(w)}" for name, w in manifest.joining.weights.items())
    return f"""\
5. CLIP's image tower (ViT-B/16, int8, its norms, biases and scales tuned) judges along, by heads of
   the same five kinds on its tokens of four depths, with a heatmap of its own. Logits are joined
   head by head ({shares});
   {rule}.
   Heatmaps are averaged. What one of the two judges alone would clear is not called fake."""


def _cannot(records: Records) -> str:
    manifest = records.manifest
    return f"""## What it cannot see

- Generators and editors unlike those it was trained on. The sources marked "unseen" below show
  how far it carries over; the next generator may do worse.
- Anything outside faces: objects, texts, backgrounds, a true picture with a false caption.
- Traces that heavy compression, small size, screenshots or filters have wiped out.
- A picture made to deceive it: it was not hardened against adversarial changes.
- Faces whose frame has fewer than {manifest.min_face} pixels a side: these are always unsure.
- Faces seen from the side: unsure, too. A face of which a part seems covered is not cleared.
- Faces that the face detector misses. Such a picture gets no verdict.
- Where a wholly synthetic face was "altered": there the mask marks what looks synthetic.

People are not spread evenly over the training pictures: celebrities, web portraits and official
portraits prevail. False alarms are reported for each source below because they differ.

### Blind spots that were measured

{blind_spots(records)}"""


def _data(metrics: Table, manifest: Manifest) -> str:
    rows = []
    for entry in metrics["data"]:
        what, terms = SOURCES.get(entry["source"], UNKNOWN)
        unseen = " **unseen**" if not entry["train"] + entry["val"] else ""
        numbers = [count(entry[key]) for key in ("train", "val", "test", "groups", "masks")]
        rows.append([f"{entry['source']}{unseen}", entry["label"], what, terms, *numbers])
    head = ["source", "label", "what it is", "terms"]
    listed = table([*head, "train", "val", "test", "groups", "with mask"], rows)
    return f"""## Data

{listed}

No picture is part of this project; the weights and figures are. Most sources allow research that
is not commercial: see to their terms before you use the weights otherwise. A group (person, clip,
photograph) never stands in two splits.

{_origins(manifest)}"""


def _origins(manifest: Manifest) -> str:
    """The model's files, with where they come from."""
    clip = manifest.clip
    rows = [[manifest.file, manifest.origin, manifest.licence]]
    for part in (clip.tower, clip.tuned, clip.heads) if clip else ():
        rows.append([part.file, part.origin, part.licence])
    return table(["file", "origin", "licence"], rows)


def _training(metrics: Table, manifest: Manifest) -> str:
    lines = [f"- {name}: {value}" for name, value in flat(manifest.training) if value]
    history = metrics["history"]
    if history:
        best = history["best"]
        columns = ("loss", "val_loss", "accuracy", "val_accuracy", "val_auc")
        figures = ", ".join(f"{name} {plain(best[name])}" for name in columns if name in best)
        lines.append(
            f"- {history['epochs']} epochs; the weights are those after epoch {best['epoch']:.0f}, "
            f"the best by val_auc: {figures}"
        )
    return "\n".join(["## Training", "", *(lines or ["Not recorded."])])


def _cost(cost: Table | None) -> str:
    """What training took, in minutes and, by an assumption, in energy."""
    if cost is None:
        return ""
    rows, energies = [], []
    for run in cost["runs"]:
        energies.append(run["minutes"] / 60 * run["kilowatts"])
        minutes = f"{run['minutes']:,.1f}"
        rows.append([run["what"], run["device"], minutes, f"{energies[-1]:.2f}"])
    return f"""## Environmental cost

{table(["run", "device", "minutes", "kWh, estimated"], rows)}

Together {sum(energies):.2f} kWh. Nothing was metered. Assumed: {cost["assumption"]}."""


def _seen(records: Records) -> str:
    """What people saw in the gallery, with the version of the model they saw it of."""
    seen = records.seen
    if seen is None:
        return ""
    own = seen["version"] == records.manifest.version
    note = "" if own else f" It has not been looked at again for {records.manifest.version}."
    return f"""### Seen in the gallery

Of model {seen["version"]}.{note}

{seen["text"]}{_groups(records.gallery)}"""


def _groups(gallery: Table | None) -> str:
    """What the gallery's groups hold, in figures; nothing where it was not recorded."""
    if gallery is None:
        return ""
    rows = []
    for found in gallery["groups"].values():
        low, high = (percent(bound) for bound in found["chance"])
        kinds = ", ".join(f"{name} {count(number)}" for name, number in found["kinds"].items())
        rows.append(
            [
                f"{found['title']}, {count(found['count'])} of {count(found['of'])}",
                kinds,
                percent(found["unmarked"]),
                f"{found['brightness']:.0f}",
                percent(found["grey"]),
                f"{low} to {high}",
            ]
        )
    head = ["pictures", "of which kind", "heatmap nowhere above its bound", "mean brightness"]
    return f"""

In figures, on the {gallery["split"]} split; brightness is of 255, "grey" are pictures whose colour
channels lie less than {gallery["grey_spread"]:g} levels apart on average.

{table([*head, "grey", "fake probability"], rows)}"""


def _versions(manifest: Manifest) -> str:
    clip = manifest.clip
    files = [(manifest.file, manifest.sha256)]
    files += [(f.file, f.sha256) for f in (clip.tower, clip.tuned, clip.heads)] if clip else []
    lines = [f"- {name}, sha256 `{digest}`" for name, digest in files]
    lines += [f"- {name}: {value}" for name, value in flat(manifest.export)]
    head = "## Versions and export\n"
    return "\n".join([head, *lines])
