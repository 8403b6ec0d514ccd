"use strict";
// Draws the curve of a capacity search once: rate of arrivals against latency, with what held and the knee.

{
  const { steps, holds, knee } = JSON.parse(document.getElementById("curve").textContent);
  const LINES = [
    ["P50", "intended", "p50", "#4a90d9", "solid"], ["P95", "intended", "p95", "#0a5fb4", "solid"],
    ["P99", "intended", "p99", "#b3261e", "solid"], ["P95 from the real start", "served", "p95", "#8a5a00", "dot"],
  ];
  const SYMBOLS = { held: "circle", server: "x", generator: "diamond-open" };
  const root = document.getElementById("charts"), plot = document.createElement("div");
  root.append(plot);
  plot.style.gridColumn = "1 / -1";
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", "rate of arrivals against latency");
  document.documentElement.classList.add("drawn");

  const traces = LINES.map(([name, member, quantile, color, dash]) => ({
    type: "scatter", mode: "lines+markers", name, x: steps.map((step) => step.rate),
    y: steps.map((step) => (step[member] ? step[member][quantile] : null)), text: steps.map((step) => step.answer),
    line: { color, dash, width: 1.6 }, marker: { color, size: 8, symbol: steps.map((step) => SYMBOLS[step.answer]) },
    hovertemplate: "%{x:,.4~g}/s: %{y:,.4~g} ms (%{text})",
  }));
  const marks = [[holds, "holds"], [knee, "knee"]].filter(([rate]) => rate !== null);

  function draw() {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--soft").trim(), grid = style.getPropertyValue("--line").trim();
    const axis = { type: "log", gridcolor: grid, linecolor: grid, zeroline: false, tickformat: ",~g", dtick: "D2", automargin: true };
    Plotly.react(plot, traces, {
      height: 420, margin: { l: 60, r: 20, t: 40, b: 50 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: "system-ui, sans-serif", size: 12 }, hovermode: "closest",
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      xaxis: { ...axis, title: { text: "arrivals a second" } }, yaxis: { ...axis, title: { text: "latency in ms" } },
      shapes: marks.map(([rate]) => ({
        type: "line", x0: rate, x1: rate, yref: "paper", y0: 0, y1: 1, line: { color: ink, width: 1, dash: "dash" },
      })),
      annotations: marks.map(([rate, text], at) => ({
        x: Math.log10(rate), y: 1 - at / 12, yref: "paper", text, showarrow: false, xanchor: "right", xshift: -4,
      })),
    }, { responsive: true, displayModeBar: false });
  }

  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
