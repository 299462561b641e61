"""The section on what the tower makes of whole pictures."""

from __future__ import annotations

from textwrap import fill

from model_training.evaluation.markdown import count, percent, plain, table
from model_training.evaluation.tables import Table


def whole_section(whole: Table | None) -> str:
    """Whole pictures, by the view that the tower has of them, each source left out in turn."""
    if whole is None:
        return ""
    views = whole["views"]
    reals, fakes = sum(whole["photographs"].values()), sum(whole["generated"].values())
    rows = [
        [
            name,
            plain(view["auc"]),
            percent(view["told_seen"]),
            f"{view['alarms']} of {count(view['photographs'])}",
            *(percent(row["told"]) for row in view["makers_left_out"].values()),
        ]
        for name, view in views.items()
    ]
    first = next(iter(views.values()))
    makers = [f"{name} ({row['count']})" for name, row in first["makers_left_out"].items()]
    sources = [
        [
            name,
            count(row["count"]),
            *(str(view["photographs_left_out"][name]["alarms"]) for view in views.values()),
        ]
        for name, row in first["photographs_left_out"].items()
    ]
    met = [name for name, is_met in whole["is_met"].items() if is_met]
    verdict = (
        f"These views meet both: {', '.join(met)}."
        if met
        else "No view meets both, so reports say nothing of the picture as a whole."
    )
    text = f"""A line on features of CLIP's published tower, which sees {count(fakes)} generated
pictures and {count(reals)} photographs of all kinds whole: scaled down, a part of the middle in
full size, or both. Those of sources that the line knows count by groups that it was not fitted on.
A note would be worth showing if at most one photograph in {whole["photographs_an_alarm"]} of a
source that was left out alarms, and at least {percent(whole["useful"])} of the generated pictures
of each kind that was left out are told. {verdict}"""
    head = ["what the tower sees", "AUC", "told, kinds known", "alarms, source left out", *makers]
    return f"""## Whole pictures

{fill(text, 100)}

{table(head, rows)}

Columns of kinds: the share that is told by a line and a bound that never saw the kind. Alarms by
source of photographs:

{table(["source left out", "photographs", *views], sources)}"""
