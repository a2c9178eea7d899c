// Page: draws a result, or several, from the JSON that stands in the same file.
"use strict";

(() => {
  const { html, svg, number, milliseconds, ticks, logTicks, linear, log, chart, showTip, hideTip, panel, timeAxis, path } = Charts;
  const doc = JSON.parse(document.getElementById("result").textContent);
  const runs = doc.runs ?? [doc];
  const signs = { true: ["yes", "✓"], false: ["no", "✗"], null: ["open", "–"] };

  const section = (title, about, ...content) => [html("h2", {}, title), about ? html("p", { class: "about" }, about) : null, ...content];
  const table = (head, rows, numbers = []) =>
    html("div", { class: "scroll" }, html("table", {}, [
      html("thead", {}, html("tr", {}, head.map((h, i) => html("th", numbers.includes(i) ? { class: "number", scope: "col" } : { scope: "col" }, h)))),
      html("tbody", {}, rows.map((row) => html("tr", {}, row.map((cell, i) => html("td", numbers.includes(i) ? { class: "number" } : { class: "why" }, cell))))),
    ]));

  // --- what it is and how it ended ---

  function command(text) {
    const code = html("pre", {}, html("code", {}, text));
    const button = html("button", { type: "button" }, "Copy");
    button.addEventListener("click", () => {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      const done = () => { button.textContent = "Copied"; };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => document.execCommand("copy") && done());
      else if (document.execCommand("copy")) done();
    });
    return html("div", { class: "command" }, [code, button]);
  }

  const isReal = (run) => run.details.host === "real";

  function heading(run) {
    const c = run.configuration;
    const words = [`${c.node_count} nodes`, `${c.network_profile} network`];
    if (c.byzantine_percentage > 0) words.push(`${number(c.byzantine_percentage, 1)} % deviate (${c.byzantine_pattern})`);
    if (c.workload) words.push(c.workload);
    if (c.duration_s) words.push(`${number(c.duration_s, 1)} ${isReal(run) ? "" : "virtual "}seconds`);
    return [
      html("h1", {}, [html("span", { class: "status " + run.status }, run.status), " ", run.title]),
      html("p", { class: "meta" }, `${words.join(" · ")} · seed ${run.seed} · ${run.start_time}${run.trace_hash ? " · trace " + run.trace_hash.slice(0, 16) : ""}`),
      run.details.repro ? command(run.details.repro) : null,
    ];
  }

  function verdictStrip(run) {
    const list = (run.details.verdicts ?? []).map((v) => {
      const [kind, sign] = signs[v.passed];
      return html("li", { class: kind, title: v.reason ?? "" }, [
        html("b", {}, [html("span", { class: "sign" }, sign), `${v.id === "-" ? "" : v.id + " "}${v.checker}`]),
        html("span", { class: "says" }, v.passed === null ? v.reason : v.says),
      ]);
    });
    const rows = Object.entries(run.acceptance_criteria).map(([name, c]) => [
      `${signs[c.passed][1]} ${name}`, c.required, c.passed === null ? `${c.actual} (not evaluated: ${c.reason})` : c.actual,
    ]);
    return section("Verdict", "Each property is checked while the run goes on, by code that shares nothing with the protocol.",
      list.length ? html("ul", { class: "verdicts" }, list) : null, html("p"), table(["Criterion", "Required", "Found"], rows));
  }

  // --- figures ---

  const figures = [
    ["final operations a second", (r) => r.results.throughput?.avg_tps, number],
    ["offered a second", (r) => r.results.throughput?.offered_tps, number],
    ["peak in a second", (r) => r.results.throughput?.peak_tps, number],
    ["latency p50", (r) => r.results.latency?.p50_ms, milliseconds],
    ["latency p95", (r) => r.results.latency?.p95_ms, milliseconds],
    ["latency p99", (r) => r.results.latency?.p99_ms, milliseconds],
    ["latency p99.9", (r) => r.results.latency?.p999_ms, milliseconds],
    ["latency max", (r) => r.results.latency?.max_ms, milliseconds],
    ["blocks", (r) => r.results.consensus?.decisions, number],
    ["views for a block", (r) => r.results.consensus?.avg_rounds_to_finalize, number],
    ["votes for the block in its view", (r) => share(r.results.consensus?.confidence_at_finalization), number],
    ["proven deviators", (r) => r.results.detection?.proven, number],
    ["honest nodes accused", (r) => r.results.detection?.false_positives, number],
    ["processor, mean of a node, %", (r) => r.results.resource_usage?.avg_cpu_percent, number],
    ["processor, busiest node, %", (r) => r.results.resource_usage?.peak_cpu_percent, number],
    ["memory, mean of a node, MB", (r) => r.results.resource_usage?.avg_memory_mb, number],
    ["network, mean of a node, Mbit/s", (r) => r.results.resource_usage?.avg_network_mbps, number],
    ["messages", (r) => r.results.cost?.messages, number],
    ["virtual seconds", (r) => r.results.cost?.virtual_s, number],
    ["virtual over real time", (r) => (r.results.cost?.wall_s > 0 && r.results.cost.virtual_s !== undefined ? r.results.cost.virtual_s / r.results.cost.wall_s : null), number],
  ];
  function share(part) { return part === null || part === undefined ? null : part; }
  const tiles = [0, 3, 5, 8, 9, 19];

  function headline(run) {
    const known = figures.filter(([, get]) => get(run) !== null && get(run) !== undefined);
    const top = tiles.map((i) => figures[i]).filter((f) => known.includes(f));
    return section("Figures", run.details.bottleneck ? "In the way of more: " + run.details.bottleneck + (isReal(run) ? ". These are figures of processes that share one machine." : ". These are figures of a simulation; see below what is modelled.") : null,
      html("div", { class: "tiles" }, top.map(([name, get, show]) => html("div", { class: "tile" }, [html("b", {}, show(get(run))), html("span", {}, name)]))),
      html("div", { class: "two" }, [0, 1].map((half) => {
        const rest = known.slice(half * Math.ceil(known.length / 2), (half + 1) * Math.ceil(known.length / 2));
        return table(["", ""], rest.map(([name, get, show]) => [name, show(get(run))]), [1]);
      })));
  }

  function overSeeds() {
    const middle = (values) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
    const rows = figures.map(([name, get, show]) => [name, runs.map(get).filter((v) => typeof v === "number"), show])
      .filter(([, values]) => values.length > 0)
      .map(([name, values, show]) => [name, show(middle(values)), `${show(Math.min(...values))} … ${show(Math.max(...values))}`]);
    const passed = runs.filter((r) => r.status === "PASSED").length;
    const heading = html("h1", {}, [html("span", { class: "status " + doc.status }, doc.status), ` ${runs.length} runs`]);
    return [heading, ...section("Over all runs", passed < runs.length ? `${passed} passed.` : `All passed: with 95 % confidence at most ${number(Math.min(1, 3 / runs.length) * 100, 2)} % of such runs fail.`,
      table(["", "median", "least … most"], rows, [1, 2]))];
  }

  // --- the run as it went ---

  function bandText(f) {
    return `${f.fault} ${number(f.at_s)} s to ${number(f.end_s)} s${f.nodes.length ? "\nnodes " + f.nodes.join(", ") : ""}${f.others ? "\nand " + f.others.join(", ") : ""}${f.amount ? "\namount " + f.amount : ""}${f.more ? " and " + f.more : ""}`;
  }

  function timelineChart(run) {
    const d = run.details, t = d.timeline;
    const span = Math.max(t.span_s, t.cell_s);
    const kinds = [...new Set(d.faults.filter((f) => f.at_s <= span).map((f) => f.fault))];
    // Rates over about a second: shorter cells show single blocks.
    const reach = Math.floor(Math.min(5, 1 / t.cell_s) / 2);
    const rate = (name) => t[name].map((_, i) => {
      const part = t[name].slice(Math.max(0, i - reach), i + reach + 1);
      return part.reduce((sum, n) => sum + n, 0) / part.length / t.cell_s;
    });
    const points = d.latency.points;
    return chart((width) => {
      const left = 62, right = width - 16, x = linear(0, span, left, right);
      const laneHeight = 15;
      let top = 22;
      const box = (height) => { const b = { left, right, top, bottom: top + height }; top += height + 40; return b; };
      const lanes = kinds.length ? box(kinds.length * laneHeight) : null;
      const boxes = [box(130), box(150), box(90)];
      const height = top - 12;
      const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": "Throughput, latency and view over time, with faults" });
      const shade = (from, to, text, kind = "band") => {
        const r = svg("rect", { x: x(from), width: Math.max(1.5, x(Math.min(to, span)) - x(from)), y: boxes[0].top, height: boxes[2].bottom - boxes[0].top, class: kind });
        r.append(svg("title", {}, text));
        root.append(r);
      };
      for (const f of d.faults) if (f.at_s <= span) shade(f.at_s, f.end_s, bandText(f));
      if (lanes) {
        root.append(svg("text", { x: left, y: lanes.top - 7, class: "strong" }, "faults"));
        for (const f of d.faults) {
          if (f.at_s > span) continue;
          const row = kinds.indexOf(f.fault);
          const bar = svg("rect", { x: x(f.at_s), width: Math.max(3, x(Math.min(f.end_s, span)) - x(f.at_s)), y: lanes.top + row * laneHeight + 2, height: laneHeight - 4, class: "bar", rx: 2 });
          bar.addEventListener("pointermove", (e) => showTip(e, bandText(f)));
          bar.addEventListener("pointerleave", hideTip);
          root.append(bar);
        }
        kinds.forEach((kind, i) => root.append(svg("text", { x: left - 6, y: lanes.top + i * laneHeight + 11, "text-anchor": "end", style: "font-size:10px" }, kind.slice(0, 11))));
      }

      const most = Math.max(1, ...rate("final"), ...rate("submitted")) * 1.05;
      boxes[0].y = linear(0, most, boxes[0].bottom, boxes[0].top);
      panel(root, boxes[0], "operations a second", ticks(0, most, 3), (v) => number(v));
      const middle = (i) => x(Math.min(span, (i + 0.5) * t.cell_s));
      const line = (values, scale) => values.map((v, i) => [middle(i), scale(v)]);
      const done = line(rate("final"), boxes[0].y);
      root.append(svg("path", { d: `${path(done)}L${done.at(-1)[0]} ${boxes[0].bottom}L${done[0][0]} ${boxes[0].bottom}Z`, class: "area" }));
      root.append(svg("path", { d: path(line(rate("submitted"), boxes[0].y)), class: "offered" }));
      root.append(svg("path", { d: path(done), class: "final" }));

      const low = 10 ** Math.floor(Math.log10(Math.max(0.01, Math.min(...points.map((p) => p[1]), 1e9))));
      const high = 10 ** Math.ceil(Math.log10(Math.max(low * 10, ...points.map((p) => p[1]))));
      boxes[1].y = log(points.length ? low : 1, points.length ? high : 1000, boxes[1].bottom, boxes[1].top);
      panel(root, boxes[1], "latency of final writes (log)", points.length ? logTicks(low, high) : [], milliseconds);
      for (const [s, ms] of points) root.append(svg("circle", { cx: x(s).toFixed(1), cy: boxes[1].y(ms).toFixed(1), r: points.length > 800 ? 1.4 : 2.2, class: "dot" }));
      if (!points.length) root.append(svg("text", { x: left + 8, y: boxes[1].top + 30 }, "no final write was answered"));

      const views = t.view.map((v, i) => Math.max(v, ...t.view.slice(0, i).slice(-1), 0));
      boxes[2].y = linear(0, Math.max(1, ...views), boxes[2].bottom, boxes[2].top);
      panel(root, boxes[2], "view", ticks(0, Math.max(1, ...views), 2), (v) => number(v));
      root.append(svg("path", { d: path(line(views, boxes[2].y), true), class: "view" }));
      timeAxis(root, x, boxes[2], span);

      const mark = (at, text, kind, anchor = "start") => {
        root.append(svg("line", { x1: x(at), x2: x(at), y1: lanes ? lanes.top : boxes[0].top, y2: boxes[2].bottom, class: kind }));
        root.append(svg("text", { x: x(at) + (anchor === "start" ? 4 : -4), y: boxes[0].top + 12, "text-anchor": anchor, class: kind === "broken" ? "broken" : "" }, text));
      };
      if (d.warm_up_s) mark(d.warm_up_s, width < 560 ? "" : "measured from here", "mark");
      if (d.calm_s && d.calm_s < span) mark(d.calm_s, d.faults.length ? "calm" : "load ends", "mark", "end");
      if (d.violation) mark(d.violation.at_s, `✗ ${d.violation.checker}`, "broken", x(d.violation.at_s) > width / 2 ? "end" : "start");

      const cursor = svg("line", { y1: boxes[0].top, y2: boxes[2].bottom, class: "cursor", visibility: "hidden" });
      root.append(cursor);
      root.addEventListener("pointermove", (event) => {
        if (event.target.classList.contains("bar")) return;
        const at = ((event.clientX - root.getBoundingClientRect().left - left) / (right - left)) * span;
        const i = Math.floor(at / t.cell_s);
        if (i < 0 || i >= t.final.length) { hideTip(); return; }
        cursor.setAttribute("x1", middle(i)); cursor.setAttribute("x2", middle(i)); cursor.setAttribute("visibility", "visible");
        const active = d.faults.filter((f) => f.at_s <= at && at <= f.end_s).map((f) => f.fault);
        showTip(event, `${number(i * t.cell_s, 2)} s\nfinal ${number(t.final[i] / t.cell_s)} a second, offered ${number(t.submitted[i] / t.cell_s)}\nworst latency ${milliseconds(t.latency_max_ms[i])}\nview ${t.view[i]}, height ${t.height[i]}${t.refused[i] ? `\n${t.refused[i]} refused` : ""}${active.length ? "\nfaults: " + [...new Set(active)].join(", ") : ""}`);
      });
      root.addEventListener("pointerleave", () => { hideTip(); cursor.setAttribute("visibility", "hidden"); });
      return root;
    });
  }

  function timeline(run) {
    if (!run.details.timeline?.final?.length) return [];
    const items = [["var(--blue)", "final"], ["var(--orange)", "offered (dashed)"], ["var(--green)", "view"]];
    if (run.details.faults.length) items.push(["var(--bar)", "a fault lasts"]);
    return section("The run", `One point of the lines is ${number(run.details.timeline.cell_s, 2)} s; of the writes ${number(run.details.latency.points.length)} of ${number(run.details.latency.count)} are drawn.`,
      html("div", { class: "legend" }, items.map(([color, text]) => html("span", {}, [html("i", { style: "background:" + color }), text]))), timelineChart(run),
      run.details.violation ? html("p", {}, [html("b", {}, "Broken: "), run.details.violation.text, ` (node ${run.details.violation.node}, at ${number(run.details.violation.at_s)} s)`]) : null);
  }

  // --- nodes over time ---

  /// From the page's colour to blue, orange and red: light to dark for those who see no hues.
  function ramp(share) {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const stops = dark ? [[28, 38, 50], [38, 84, 124], [86, 180, 233], [253, 231, 150]] : [[232, 240, 247], [122, 182, 220], [0, 98, 155], [58, 12, 60]];
    const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
    const i = Math.min(stops.length - 2, Math.floor(at));
    return stops[i].map((v, k) => Math.round(v + (stops[i + 1][k] - v) * (at - i)));
  }

  function heatMap(run) {
    const n = run.details.nodes, t = run.details.timeline;
    if (!n?.view?.length || !n.view[0].length) return [];
    const columns = n.view[0].length, rows = n.view.length;
    const newest = Array.from({ length: columns }, (_, c) => Math.max(...n.view.map((row) => row[c])));
    const kinds = {
      behind: ["views behind the newest", (r, c) => newest[c] - n.view[r][c]],
      lag: ["blocks behind the highest", (r, c) => n.lag[r][c]],
      view: ["view", (r, c) => n.view[r][c]],
    };
    let kind = "behind";
    const legend = html("div", { class: "legend" });
    const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const box = chart((width) => {
      const [name, value] = kinds[kind];
      let most = 4;  // One behind is what every moment has: it must look harmless.
      for (let r = 0; r < rows; ++r) for (let c = 0; c < columns; ++c) if (n.state[r][c] === "u") most = Math.max(most, value(r, c));
      const left = width < 520 ? 34 : 62;
      const rowHeight = Math.max(3, Math.min(22, Math.floor(320 / rows)));
      const canvas = html("canvas", { width: columns * 4, height: rows * rowHeight, role: "img", "aria-label": "Nodes over time, " + name });
      canvas.style.height = rows * rowHeight + "px";
      const ink = canvas.getContext("2d");
      const down = css("--down"), paused = css("--paused");
      for (let r = 0; r < rows; ++r) for (let c = 0; c < columns; ++c) {
        const state = n.state[r][c];
        ink.fillStyle = state === "d" ? down : state === "p" ? paused : `rgb(${ramp(Math.log1p(value(r, c)) / Math.log1p(most))})`;
        ink.fillRect(c * 4, r * rowHeight, 4, rowHeight > 5 ? rowHeight - 1 : rowHeight);
      }
      canvas.addEventListener("pointermove", (event) => {
        const area = canvas.getBoundingClientRect();
        const c = Math.floor(((event.clientX - area.left) / area.width) * columns), r = Math.floor(((event.clientY - area.top) / area.height) * rows);
        if (r < 0 || r >= rows || c < 0 || c >= columns) return;
        const state = { u: "", d: "\ndown", p: "\npaused" }[n.state[r][c]];
        showTip(event, `node ${r}${n.roles[r] === "honest" ? "" : ", " + n.roles[r]}\n${number((c + 1) * t.cell_s, 2)} s: view ${n.view[r][c]}, ${n.lag[r][c]} blocks behind${state}`);
      });
      canvas.addEventListener("pointerleave", hideTip);
      const labels = svg("svg", { width: left, height: rows * rowHeight });
      const every = Math.ceil(14 / rowHeight);
      for (let r = 0; r < rows; r += every) labels.append(svg("text", { x: left - 8, y: r * rowHeight + Math.min(rowHeight, 14) - 2, "text-anchor": "end" }, `${n.roles[r] === "honest" ? "" : "◆ "}${r}`));
      legend.replaceChildren(...[0, 0.5, 1].map((s) => html("span", {}, [html("i", { style: `background:rgb(${ramp(s)})` }), number(Math.round(Math.expm1(s * Math.log1p(most))))])),
        html("span", {}, [html("i", { style: "background:var(--down)" }), "down"]), html("span", {}, [html("i", { style: "background:var(--paused)" }), "paused"]),
        html("span", {}, n.roles.some((r) => r !== "honest") ? "◆ deviates: " + [...new Set(n.roles.filter((r) => r !== "honest"))].join(", ") : "all nodes honest"));
      const span = columns * t.cell_s, axis = svg("svg", { viewBox: `0 0 ${width} 24`, height: 24 });
      timeAxis(axis, linear(0, span, left, width), { left, right: width, bottom: -4 }, span);
      labels.style.cssText = `width:${left}px;flex:none`;
      canvas.style.width = `calc(100% - ${left}px)`;
      return html("div", {}, [html("div", { style: "display:flex" }, [labels, canvas]), axis]);
    });
    const select = html("select", { "aria-label": "What the colour shows" }, Object.entries(kinds).map(([key, [name]]) => html("option", { value: key }, name)));
    select.addEventListener("change", () => { kind = select.value; box.redraw(); });
    return section("Nodes over time", "A row is a node, a column a moment. Point at a cell to see which.", html("div", { class: "controls" }, ["colour: ", select]), box, legend);
  }

  // --- latency ---

  function distribution(run) {
    const h = run.details.latency?.histogram ?? [];
    if (!h.length) return [];
    const total = h.reduce((sum, [, count]) => sum + count, 0);
    const box = chart((width) => {
      const b = { left: 62, right: width - 14, top: 20, bottom: 210 };
      const low = Math.max(0.01, h[0][0] * 0.8), high = Math.max(low * 1.5, h.at(-1)[0] * 1.15);
      const x = log(low, high, b.left, b.right);
      b.y = linear(0, 100, b.bottom, b.top);
      const root = svg("svg", { viewBox: `0 0 ${width} 236`, height: 236, role: "img", "aria-label": "Share of writes that were final within a time" });
      panel(root, b, "share of writes that were final within …", [0, 25, 50, 75, 100], (v) => v + " %");
      for (const mark of logTicks(low, high)) root.append(svg("text", { x: x(mark), y: b.bottom + 18, "text-anchor": "middle" }, milliseconds(mark)));
      let seen = 0;
      const points = [[x(low), b.y(0)]];
      for (const [ms, count] of h) { seen += count; points.push([x(ms), b.y((100 * seen) / total)]); }
      root.append(svg("path", { d: path(points, true), class: "final" }));
      const l = run.details.latency;
      [["p50", l.p50_ms, 50], ["p95", l.p95_ms, 95], ["p99", l.p99_ms, 99]].forEach(([name, ms, level], i) => {
        root.append(svg("line", { x1: x(ms), x2: x(ms), y1: b.y(level), y2: b.bottom, class: "mark" }));
        const end = x(ms) > width * 0.62;
        root.append(svg("text", { x: x(ms) + (end ? -6 : 6), y: b.bottom - 12 - 18 * i, "text-anchor": end ? "end" : "start", class: "strong" }, `${name} ${milliseconds(ms)}`));
      });
      return root;
    });
    return section("Latency", "From the instant at which a write was meant to be sent until the node that was asked knew it final. From merged histograms, to 1.6 %.", box);
  }

  const fills = { "waiting for a leader": "waiting", network: "network", "processor queue": "queue", processor: "cpu", "signature checks": "crypto", disk: "disk" };
  function whereTimeGoes(run) {
    const parts = (run.details.where_time_goes ?? []).filter((p) => p.ms > 0);
    const total = parts.reduce((sum, p) => sum + p.ms, 0);
    if (!(total > 0)) return [];
    const bar = html("div", { class: "stack", role: "img", "aria-label": "Where the time of a write goes" }, parts.map((p) => html("i", { class: "fill-" + fills[p.part], style: `width:${(100 * p.ms) / total}%`, title: `${p.part} ${milliseconds(p.ms)}` })));
    const rows = parts.map((p) => [html("span", { class: "legend" }, html("span", {}, [html("i", { class: "fill-" + fills[p.part] }), p.part])), milliseconds(p.ms), number((100 * p.ms) / total, 0) + " %", p.how]);
    return section("Where time goes", `The mean write took ${milliseconds(total)}. Until its block was proposed it waited for a leader's turn, and for its own vertex to spread; the rest is what a message step costs.`, bar, table(["", "mean", "share", "how it is known"], rows, [1, 2]));
  }

  function slowestWrites(run) {
    const list = run.details.slowest ?? [];
    if (!list.length) return [];
    const stages = [["waiting_ms", "waiting", "waiting for a leader"], ["ordering_ms", "order", "ordering"], ["learning_ms", "network", "until the asked node knew"]];
    const worst = list[0].latency_ms;
    const rows = list.map((s) => [
      milliseconds(s.latency_ms),
      html("div", { class: "stack small", style: `width:${Math.max(8, (100 * s.latency_ms) / worst)}%` }, stages.map(([key, fill, name]) => html("i", { class: "fill-" + fill, style: `width:${(100 * s[key]) / Math.max(0.001, s.latency_ms)}%`, title: `${name} ${milliseconds(s[key])}` }))),
      number(s.at_s, 2) + " s", String(s.node), String(s.height), `${s.view}${s.views_skipped ? ` (${s.views_skipped} skipped)` : ""}`, String(s.proposer)]);
    return section("Slowest writes", "The slowest of each block, at most ten blocks.",
      html("div", { class: "legend" }, stages.map(([, fill, name]) => html("span", {}, [html("i", { class: "fill-" + fill }), name]))),
      table(["latency", "", "sent at", "node", "height", "view", "proposer"], rows, [0, 2, 3, 4, 6]));
  }

  function honesty(run) {
    const list = (title, items) => (items?.length ? html("div", {}, [html("h3", {}, title), html("ul", { class: "plain" }, items.map((i) => html("li", {}, i)))]) : null);
    const calibration = run.details.calibration;
    const rows = (calibration?.rows ?? []).map((r) => [`${r.nodes} nodes, ${r.figure}`, r.fitted ? "fitted" : "predicted", r.real, r.simulated, r.error_percent === null ? "–" : number(r.error_percent, 1) + " %", r.aim_percent ? number(r.aim_percent, 0) + " %" : ""]);
    const leftOut = run.details.not_injected?.map((f) => `${f.step}${f.step === f.kind ? "" : ` (${f.kind})`}: ${f.why}`);
    return [
      ...section("What this rests on", null, html("div", { class: "two" }, [list("Models", run.details.models), list("Not injected", leftOut), list("Not covered", run.details.not_covered)])),
      ...(rows.length ? section("Against real processes", `${calibration.about}`, table(["", "", "real", "simulated", "error", "aim"], rows, [2, 3, 4, 5])) : []),
      run.details.probes && Object.keys(run.details.probes).length
        ? html("details", {}, [html("summary", {}, "Counters of the honest nodes"), table(["", ""], Object.entries(run.details.probes).map(([k, v]) => [k, number(v)]), [1])]) : null,
    ];
  }

  // --- the page ---

  const place = document.getElementById("report");
  function show(run) {
    const parts = [heading(run)];
    if (runs.length > 1) {
      const select = html("select", { "aria-label": "Which run" }, runs.map((r, i) => html("option", { value: i }, `${r.scenario_id} seed ${r.seed}: ${r.status}`)));
      select.value = runs.indexOf(run);
      select.addEventListener("change", () => show(runs[select.value]));
      parts.unshift(overSeeds(), section("One run", null, html("div", { class: "controls" }, ["shown: ", select])));
    }
    for (const draw of [verdictStrip, headline, timeline, heatMap, distribution, whereTimeGoes, slowestWrites, honesty]) parts.push(draw(run));
    place.replaceChildren(...parts.flat(3).filter(Boolean));
  }
  // A failing run is what one wants to see first.
  show(runs.find((r) => r.status === "FAILED") ?? runs[0]);
})();
