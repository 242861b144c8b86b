"""The look of the report page: one style sheet, no script, nothing loaded from elsewhere."""

from __future__ import annotations

CSS = """
:root { color-scheme: light; --ink: #1c2733; --muted: #5d6b7a; --line: #dfe5ec; --soft: #f5f7fa;
  --accent: #0b5cad; --warn: #8a5200; --bad: #b3261e; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: #eef1f5; color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 0 20px 60px; }
header { background: #12324f; color: #fff; padding: 34px 20px 26px; margin-bottom: 26px; }
header > div { max-width: 1200px; margin: 0 auto; }
header h1 { margin: 0 0 6px; font-size: 28px; line-height: 1.2; letter-spacing: -.01em; }
header p { margin: 0; color: #c4d5e6; }
header nav { margin-top: 16px; display: flex; flex-wrap: wrap; gap: 6px; }
header nav a { color: #fff; text-decoration: none; font-size: 13px; padding: 3px 10px;
  border: 1px solid #ffffff40; border-radius: 999px; }
header nav a:hover { background: #ffffff22; }
section { background: #fff; border: 1px solid var(--line); border-radius: 12px;
  padding: 22px 26px 24px; margin-bottom: 22px; }
h2 { margin: 0 0 4px; font-size: 20px; line-height: 1.3; scroll-margin-top: 12px; }
h3 { margin: 22px 0 8px; font-size: 15px; }
p { margin: 0 0 10px; }
.sub { color: var(--muted); margin-bottom: 14px; max-width: 82ch; }
.note { color: var(--warn); font-size: 13.5px; background: #fff8ea; border-left: 3px solid #e0a030;
  padding: 7px 12px; margin: 12px 0; border-radius: 0 6px 6px 0; }
.note.plain { color: var(--muted); background: var(--soft); border-left-color: #b9c4d0; }
.badge { display: inline-block; font-size: 12px; font-weight: 600; padding: 1px 9px;
  margin-left: 8px;
  border-radius: 999px; vertical-align: 3px; background: #e3f1e8; color: #17613a; }
.badge.other { background: #fbeed7; color: var(--warn); }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 6px 9px; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--muted); font-size: 12.5px; vertical-align: bottom;
  border-bottom: 2px solid #cbd4de; }
th:first-child, td:first-child, .left { text-align: left !important; }
tbody tr:hover td { background: #f8fafc; }
tr.kind td { background: var(--soft); font-weight: 600; text-align: left; padding-top: 9px; }
table.dense { font-size: 13px; }
table.dense th, table.dense td { padding: 5px 7px; }
td b { font-weight: 650; }
a { color: var(--accent); text-underline-offset: 2px; }
tr.over-head th { border-bottom: 0; padding-bottom: 0; color: var(--ink); text-align: center; }
tr.over-head th[colspan], td.lead { border-left: 1px solid var(--line); }
td small, th small { color: var(--muted); font-weight: 400; font-size: 12px; }
td.wrap { white-space: normal; min-width: 150px; }
.bar { display: inline-block; width: 84px; height: 8px; border-radius: 4px; background: #e6ebf1;
  margin-left: 10px; overflow: hidden; vertical-align: 1px; text-align: left; }
.bar i { display: block; height: 100%; }
.over { color: var(--bad); }
img.plot { display: block; width: 100%; max-width: 900px; height: auto; margin: 6px 0 14px; }
.key { font-size: 13px; color: var(--muted); margin: 0 0 12px; }
.key span { margin-right: 16px; white-space: nowrap; }
.key i { display: inline-block; width: 16px; height: 12px; border-radius: 3px; margin-right: 6px;
  vertical-align: -1px; }
.overlays { display: grid; gap: 22px 26px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
.overlays h4 { margin: 0 0 6px; font-size: 14px; }
.shots { display: flex; gap: 8px; }
.shots figure { margin: 0; flex: 1 1 0; min-width: 0; max-width: 300px; }
.shots + .shots { margin-top: 6px; }
.shots.gallery { flex-wrap: wrap; }
.shots.gallery figure { flex: 0 0 165px; }
figure .frame { background: #0c1116; border-radius: 8px; aspect-ratio: 1; display: flex;
  align-items: center; justify-content: center; overflow: hidden; }
figure img { max-width: 100%; max-height: 100%; width: 100%; height: 100%; object-fit: contain;
  display: block; }
figcaption { font-size: 12px; line-height: 1.35; color: var(--muted); margin-top: 4px;
  overflow-wrap: anywhere; }
figcaption b { color: var(--ink); }
details > summary { cursor: pointer; font-weight: 600; margin: 14px 0 12px; color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 16px; margin: 0;
  font-size: 13.5px; }
dt { font-weight: 600; } dd { margin: 0; color: var(--muted); }
@media (max-width: 700px) { section { padding: 16px; } .overlays { grid-template-columns: 1fr; }
  dl { grid-template-columns: 1fr; } }
@media print { body { background: #fff; } header { background: #fff; color: #000;
  } header nav { display: none; }
  section { break-inside: avoid-page; border: 0; padding: 0; } }
"""
