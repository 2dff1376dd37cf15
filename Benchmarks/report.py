"""Results as a table in Markdown and a plot in SVG."""
import os

KINDS = {
    "inference": "Inference, one call",
    "training": "Training, one step",
    "start": "From the start of a process to its first output",
    "digits": "Digits, trained and evaluated, processes included",
    "memory": "Peak resident memory",
    "yaml": "Reading 1,000,000 weights in YAML, against libyaml's bare event loop",
}


def value_of(entry, kind):
    return entry["peak_memory"] if kind == "memory" else entry["median"]


def best_peer(result):
    """The name of the peer with the least time or memory whose outputs agree; None where there is none."""
    peers = {name: entry for name, entry in result["entries"].items() if name != "nnrun" and entry["agrees"]}
    return min(peers, key=lambda name: value_of(peers[name], result["kind"]), default=None)


def ratio(result):
    """How many times as fast as the best peer, or how many times less memory."""
    best = best_peer(result)
    if best is None:
        return None
    entries, kind = result["entries"], result["kind"]
    return value_of(entries[best], kind) / value_of(entries["nnrun"], kind)


def number(value):
    if value < 0.1:
        return f"{value:.2g}"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def text(value, kind):
    if kind == "memory":
        return f"{value / 1e6:,.0f} MB"
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{number(value / 1e-9)} ns"


def spread(entry, kind):
    if kind == "memory":
        return ""
    return f" ({text(min(entry['rounds']), kind)} to {text(max(entry['rounds']), kind)})"


def lines(result):
    """A result for whoever watches."""
    kind = result["kind"]
    out = []
    for name, entry in result["entries"].items():
        remark = "" if entry["agrees"] else f"  DIFFERS by {entry['difference']:.1e}"
        out.append(f"  {name:20} {text(value_of(entry, kind), kind):>10}{spread(entry, kind)}{remark}")
    found = ratio(result)
    if found is not None:
        out.append(f"  {number(found)} times the best peer, {best_peer(result)}; goal {number(result['goal'])}")
    if result["other_processors"] > 0.3:
        out.append(f"  other programs kept {result['other_processors']:.1f} processors busy: not to be trusted")
    return "\n".join(out)


def markdown(results):
    out = []
    for machine in sorted({(r["machine"], r["date"]) for r in results}):
        out.append(f"Measured on {machine[0]}, {machine[1]}.")
    versions = {}
    for result in results:
        for name, entry in result["entries"].items():
            if "version" in entry:
                versions[name.split("-")[0]] = entry["version"].split("-")[0]
    out.append("Versions: " + ", ".join(f"{name} {version}" for name, version in sorted(versions.items())) + ".\n")
    for kind, title in KINDS.items():
        chosen = [result for result in results if result["kind"] == kind]
        if not chosen:
            continue
        out.append(f"### {title}\n")
        out.append("| work | threads | nnrun | best peer | | ratio | goal | |\n|---|---|---|---|---|---|---|---|")
        for result in chosen:
            entries, best, found = result["entries"], best_peer(result), ratio(result)
            nnrun = entries["nnrun"]
            row = [result["work"], str(result["threads"]), text(value_of(nnrun, kind), kind) + spread(nnrun, kind)]
            if best is None:
                row += ["", "", "", number(result["goal"]), ""]
            else:
                peer = entries[best]
                row += [best, text(value_of(peer, kind), kind) + spread(peer, kind), number(found), number(result["goal"])]
                row.append("met" if found >= result["goal"] else "not met")
            out.append("| " + " | ".join(row) + " |")
        out.append("")
        names = list(dict.fromkeys(name for result in chosen for name in result["entries"]))
        out.append("| all | threads | " + " | ".join(names) + " |\n|---|---|" + "---|" * len(names))
        for result in chosen:
            cells = [
                text(value_of(result["entries"][name], kind), kind) + ("" if result["entries"][name]["agrees"] else " (differs)")
                if name in result["entries"]
                else ""
                for name in names
            ]
            out.append(f"| {result['work']} | {result['threads']} | " + " | ".join(cells) + " |")
        out.append("")
    return "\n".join(out)


def svg(results):
    """A bar for each work: how many times as fast as its best peer, with a mark at the goal."""
    shown = [(result, ratio(result)) for result in results if ratio(result) is not None]
    left, row, top, width = 280, 22, 58, 440
    largest = max(2, min(6, max((found for _, found in shown), default=2)))
    scale, right = width / largest, left + width + 24
    height = top + row * len(shown) + 16
    x = left + scale
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right + 220} {height}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{left}" y="22" font-size="15" font-weight="600" fill="#1f2328">nnrun against the best peer: how many '
        "times as fast, or as small</text>",
        f'<text x="{left}" y="41" fill="#57606a">the line is the best peer, a circle the goal; longer bars are better</text>',
    ]
    for index, (result, found) in enumerate(shown):
        y = top + index * row
        threads = f", {result['threads']} thread{'s' if result['threads'] > 1 else ''}"
        color = "#2f81f7" if found >= 1 else "#d29922"
        length = min(found, largest) * scale
        out.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end" fill="#1f2328">{result["work"]}{threads}</text>')
        out.append(f'<rect x="{left}" y="{y + 3}" width="{length:.1f}" height="{row - 6}" rx="2" fill="{color}"/>')
        if result["goal"] <= largest:
            goal = left + result["goal"] * scale
            out.append(f'<circle cx="{goal:.1f}" cy="{y + row / 2}" r="3.5" fill="#ffffff" stroke="#1f2328"/>')
        out.append(f'<text x="{right}" y="{y + 15}" fill="#1f2328">{number(found)} times {best_peer(result)}</text>')
    out.append(
        f'<line x1="{x:.1f}" y1="{top - 4}" x2="{x:.1f}" y2="{height - 10}" stroke="#1f2328" stroke-dasharray="4 3"/>'
    )
    out.append("</svg>\n")
    return "\n".join(out)


def write(results, folder):
    for name, content in (("results.md", markdown(results)), ("results.svg", svg(results))):
        with open(os.path.join(folder, name), "w") as file:
            file.write(content)
    print(f"the table is in {os.path.relpath(os.path.join(folder, 'results.md'))}")
