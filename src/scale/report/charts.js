// Charts: what page.js draws with. Plain SVG and canvas, sized in real pixels so that text stays
// readable on a phone; drawn again when the width changes.
"use strict";

const Charts = (() => {
  const namespace = document.getElementById("svg-namespace").namespaceURI;

  /// An HTML element; `children` are elements or text, which stays text.
  function html(tag, attributes = {}, children = []) {
    return fill(document.createElement(tag), attributes, children);
  }
  function svg(tag, attributes = {}, children = []) {
    return fill(document.createElementNS(namespace, tag), attributes, children);
  }
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    for (const child of [children].flat()) if (child !== null && child !== undefined) element.append(child);
    return element;
  }

  /// 1234567 as "1,234,567"; small numbers with the digits that matter.
  function number(value, digits) {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return String(value);
    const size = Math.abs(value);
    const fraction = digits ?? (Number.isInteger(value) || size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3);
    return value.toLocaleString("en-US", { maximumFractionDigits: fraction });
  }
  function milliseconds(ms) {
    if (ms === null || ms === undefined) return "–";
    if (ms >= 1000) return number(ms / 1000, 2) + " s";
    return ms < 1 && ms > 0 ? number(ms * 1000, 0) + " µs" : number(ms) + " ms";
  }

  /// About `count` round steps from zero or `low` to `high`.
  function ticks(low, high, count) {
    const rough = (high - low) / Math.max(1, count);
    if (!(rough > 0)) return [low];
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    const out = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) out.push(Number(at.toPrecision(12)));
    return out;
  }
  /// Powers of ten; of a narrow range also twice and five times these.
  function logTicks(low, high) {
    const factors = high / low < 200 ? [1, 2, 5] : [1];
    const out = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; ++power)
      for (const factor of factors) {
        const mark = Number((factor * 10 ** power).toPrecision(3));
        if (mark >= low * 0.9999 && mark <= high * 1.0001) out.push(mark);
      }
    return out;
  }
  function linear(low, high, from, to) {
    const span = high - low || 1;
    return (value) => from + ((value - low) / span) * (to - from);
  }
  function log(low, high, from, to) {
    const scale = linear(Math.log10(low), Math.log10(high), from, to);
    return (value) => scale(Math.log10(Math.max(value, low)));
  }

  /// Calls draw(width) now and whenever the width changes; what it returns replaces the content.
  function chart(draw) {
    const box = html("div", { class: "chart" });
    let drawn = 0;
    const redraw = () => {
      const width = Math.round(box.clientWidth);
      if (width === 0 || width === drawn) return;
      drawn = width;
      box.replaceChildren(draw(width));
    };
    new ResizeObserver(() => requestAnimationFrame(redraw)).observe(box);
    box.redraw = () => { drawn = 0; redraw(); };
    return box;
  }

  const tip = html("div", { class: "tip", role: "status" });
  function showTip(event, text) {
    if (!tip.isConnected) document.body.append(tip);
    tip.textContent = text;
    tip.style.display = "block";
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const top = event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = top + "px";
  }
  function hideTip() { tip.style.display = "none"; }

  /// One panel of a chart over time: frame, ticks on the left, its name above.
  function panel(group, box, name, marks, label) {
    group.append(svg("text", { x: box.left, y: box.top - 7, class: "strong" }, name));
    for (const mark of marks) {
      const y = box.y(mark);
      group.append(svg("line", { x1: box.left, x2: box.right, y1: y, y2: y, class: "grid" }));
      group.append(svg("text", { x: box.left - 8, y: y + 4, "text-anchor": "end" }, label(mark)));
    }
  }
  function timeAxis(group, x, box, seconds) {
    for (const mark of ticks(0, seconds, (box.right - box.left) / 90)) {
      const label = seconds >= 7200 ? number(mark / 3600, 1) + " h" : seconds >= 300 ? number(mark / 60, 1) + " min" : number(mark, 1) + " s";
      group.append(svg("text", { x: x(mark), y: box.bottom + 18, "text-anchor": "middle" }, label));
    }
  }
  /// A line of points as a path; `steps` holds each value until the next.
  function path(points, steps = false) {
    let out = "";
    let last = null;
    for (const [x, y] of points) {
      out += last === null ? `M${x.toFixed(1)} ${y.toFixed(1)}` : steps ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `L${x.toFixed(1)} ${y.toFixed(1)}`;
      last = y;
    }
    return out;
  }

  return { html, svg, number, milliseconds, ticks, logTicks, linear, log, chart, showTip, hideTip, panel, timeAxis, path };
})();
