"use strict";
// Draws the course of a run: report.html calls drawCourse once, /mop each time that there is more of it.
// The charts share one time axis. A zoom in one is a zoom in all; the tables and words stand in the page itself.

const MOP = (() => {
  const COLOURS = {
    light: {
      http: "#0a5fb4", sse: "#8a5a00", websocket: "#1a7f37", other: "#6e40aa",
      spread: ["#8ab8e6", "#0a5fb4", "#b3261e"],
      lines: ["#0a5fb4", "#8a5a00", "#1a7f37", "#6e40aa", "#b3261e", "#00767a", "#57606a", "#c2410c"],
      heat: [[0, "#dbeafa"], [0.5, "#4a90d9"], [1, "#062f5c"]],
    },
    dark: {
      http: "#6cb6ff", sse: "#e3b341", websocket: "#5fd38d", other: "#c297ff",
      spread: ["#35608c", "#6cb6ff", "#ff8a80"],
      lines: ["#6cb6ff", "#e3b341", "#5fd38d", "#c297ff", "#ff8a80", "#56d4dd", "#9aa4ae", "#ffab70"],
      heat: [[0, "#15304d"], [0.5, "#3f86cf"], [1, "#e3f1ff"]],
    },
  };
  const OUTCOMES = [
    "timeout", "connect", "disconnected", "http_status", "protocol", "rpc_error", "tool_error", "check", "client_fault",
  ];
  const OPEN = ["sessions", "sockets", "streams"];
  const MOST_METRICS = 10;
  const MANY = 200; // rows; with so many a mark at each point hides the line, and takes long to draw
  // The clock of the axis begins on some day at 0:00. Not in 1970: Plotly takes a number below 10,000 for a year.
  const MIDNIGHT = Date.UTC(2000, 0, 1);
  const darkness = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = new Map();
  let range = null; // what the reader has zoomed to, [from, to] in milliseconds
  let shown = null; // what was drawn last, to draw it again in other colours or at another zoom

  // Plotly reads a little HTML in every text: names of others must not become any.
  const inert = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const keys = (rows, member) => [...new Set(rows.flatMap((row) => Object.keys(row[member])))].sort();
  const moment = (seconds) => MIDNIGHT + seconds * 1000;
  const middle = (row) => moment(row.start_s + row.width_s / 2);

  function line(name, rows, value, colour, more) {
    return {
      type: "scatter", mode: rows.length > MANY ? "lines" : "lines+markers", name: inert(name), connectgaps: false,
      x: rows.map(middle), y: rows.map(value), line: { color: colour, width: 1.6 }, marker: { color: colour, size: 3 }, ...more,
    };
  }

  // --- what is drawn

  function load(rows, colours) {
    const transports = keys(rows, "calls");
    const traces = transports.map((name, at) =>
      line(name || "calls", rows, (row) => (row.calls[name] || 0) / row.width_s, colours[name] || colours.lines[at % 8],
        { hovertemplate: "%{y:,.1f} calls per s" }));
    traces.push(line("users", rows, (row) => row.users, colours.lines[6],
      { yaxis: "y2", connectgaps: true, line: { color: colours.lines[6], width: 1.4, dash: "dot" },
        hovertemplate: "%{y:,.0f} users" }));
    return { title: "Load", about: "calls per second by transport; users on the right", traces,
      layout: { yaxis2: { overlaying: "y", side: "right", tickmode: "auto", nticks: 3, rangemode: "tozero",
        showgrid: false, fixedrange: true } } };
  }

  function failures(rows, colours) {
    const found = OUTCOMES.filter((name) => rows.some((row) => row.failures[name]));
    const traces = found.map((name) => ({
      type: "bar", name, x: rows.map(middle), y: rows.map((row) => (row.failures[name] || 0) / row.width_s),
      width: rows.map((row) => row.width_s * 1000), marker: { color: colours.lines[(OUTCOMES.indexOf(name) + 4) % 8] },
      hovertemplate: "%{y:,.1f} per s",
    }));
    return { title: "Failures by class", about: found.length ? "failed calls per second" : "none", traces,
      layout: { barmode: "stack", bargap: 0, yaxis: found.length ? {} : { range: [0, 1], showticklabels: false } } };
  }

  // 1, 2 and 5 of each power of ten; only the powers where there are many of them.
  function log(values) {
    const decades = Math.log10(Math.max(...values) / Math.min(...values));
    return { type: "log", rangemode: "normal", dtick: decades < 2.5 ? "D2" : 1 };
  }

  function latency(rows, transport, colours) {
    const traces = ["P50", "P95", "P99"].map((name, at) =>
      line(name, rows, (row) => (row.latency[transport] ? row.latency[transport][at] : null), colours.spread[at],
        { hovertemplate: "%{y:.4~g} ms" }));
    return { title: `Latency, ${transport || "all"}`, traces,
      about: "percentiles of the successful calls in ms; the scale is logarithmic",
      layout: { yaxis: log(traces.flatMap((trace) => trace.y).filter((value) => value > 0)) } };
  }

  function heat(rows, transport, colours) {
    const steps = rows.flatMap((row) => (row.heat[transport] ? row.heat[transport].steps : []));
    const low = Math.min(...steps), high = Math.max(...steps);
    const columns = rows.map((row) => {
      const found = row.heat[transport];
      return found ? new Map(found.steps.map((step, at) => [step, found.counts[at]])) : new Map();
    });
    const z = [], each = [], edges = [];
    for (let step = low; step <= high; step += 1) {
      edges.push(2 ** (step / 2) / 1000);
      const counts = columns.map((column, at) => (column.get(step) || 0) / rows[at].width_s);
      z.push(counts.map((count) => (count ? Math.log2(1 + count) : null)));
      each.push(counts);
    }
    edges.push(2 ** ((high + 1) / 2) / 1000);
    const last = rows[rows.length - 1];
    const trace = {
      type: "heatmap", z, customdata: each, y: edges,
      x: [...rows.map((row) => moment(row.start_s)), moment(last.start_s + last.width_s)],
      colorscale: colours.heat, showscale: false, hoverongaps: false,
      hovertemplate: "%{customdata:,.1f} calls per s near %{y:.3~g} ms<extra></extra>",
    };
    return { title: `How the latencies are spread, ${transport || "all"}`,
      about: "the darker, the more calls; up is slower, in ms", dark: "the brighter, the more calls; up is slower, in ms",
      traces: [trace],
      layout: { hovermode: "closest", yaxis: log(edges) } };
  }

  function open(rows, colours) {
    const traces = OPEN.map((name, at) => [name, at]).filter(([, at]) => rows.some((row) => row.open && row.open[at]))
      .map(([name, at]) => line(name, rows, (row) => (row.open ? row.open[at] : null), colours.lines[at], { connectgaps: true }));
    return { title: "Open at the server", about: "sessions, sockets and streams that the users hold", traces, layout: {} };
  }

  function lag(rows, colours) {
    const traces = [["P50", 0], ["max", 2]].map(([name, at]) =>
      line(name, rows, (row) => (row.lag ? row.lag[at] : null), colours.spread[at], { hovertemplate: "%{y:.3~g} ms" }));
    return { title: "Load generators: loop lag", about: "how late they were, in ms: what they add to a latency", traces,
      layout: {} };
  }

  function cpu(rows, workers, colours) {
    const traces = keys(rows, "cpu").map((name, at) =>
      line(workers[name] || "this process", rows, (row) => (name in row.cpu ? row.cpu[name] : null), colours.lines[at % 8],
        { connectgaps: true, hovertemplate: "%{y:.0f} %" }));
    return { title: "Load generators: CPU", about: "percent of a core, by worker", traces, layout: {} };
  }

  // --- the server's own side, which has times of its own

  const samples = (list) => list.map((sample) => ({ ...sample, start_s: sample.at_s, width_s: 0 }));

  function serverLine(title, about, list, member, colour, hover, times = 1) {
    const rows = samples(list).filter((row) => row[member] !== null && row[member] !== undefined);
    const trace = () => line(title, rows, (row) => row[member] * times, colour, { hovertemplate: hover });
    return rows.length ? [{ title, about, traces: [trace()], layout: { showlegend: false } }] : [];
  }

  function server(list, colours) {
    const rows = samples(list);
    const names = keys(rows.map((row) => ({ metrics: row.metrics || {} })), "metrics");
    const counters = names.filter((name) => /_total(\{|$)/.test(name)).slice(0, MOST_METRICS);
    // A moment in time is no level: beside the others it would only squeeze them to the ground.
    const gauges = names.filter((name) => !/_(total|count|sum|bucket|timestamp|timestamp_seconds)(\{|$)/.test(name))
      .slice(0, MOST_METRICS);
    const value = (row, name) => (row.metrics && name in row.metrics ? row.metrics[name] : null);
    const grown = (name) => (row, at) => {
      const before = at ? value(rows[at - 1], name) : null, past = at ? row.at_s - rows[at - 1].at_s : 0;
      const now = value(row, name);
      return before === null || now === null || past <= 0 || now < before ? null : (now - before) / past;
    };
    const drawn = [
      ...serverLine("Server: CPU", "percent of a core", list, "cpu_percent", colours.lines[4], "%{y:.0f} %"),
      ...serverLine("Server: memory", "resident, in MB", list, "rss_bytes", colours.lines[3], "%{y:,.0f} MB", 1e-6),
      ...serverLine("Server: open files", "", list, "open_files", colours.lines[5], "%{y:,.0f}"),
      ...serverLine("Server: active sessions", "by its own account", list, "active_sessions", colours.lines[0], "%{y:,.0f}"),
    ];
    if (counters.length) {
      drawn.push({ title: "Server: its own counters", about: "per second", layout: {},
        traces: counters.map((name, at) => line(name, rows, grown(name), colours.lines[at % 8])) });
    }
    if (gauges.length) {
      drawn.push({ title: "Server: its own gauges", about: "", layout: {},
        traces: gauges.map((name, at) => line(name, rows, (row) => value(row, name), colours.lines[at % 8])) });
    }
    return drawn;
  }

  function pictures({ rows, server: list, workers }, colours) {
    const transports = keys(rows, "latency");
    const drawn = [
      load(rows, colours), failures(rows, colours),
      ...transports.map((name) => latency(rows, name, colours)), ...transports.map((name) => heat(rows, name, colours)),
      open(rows, colours), ...server(list, colours), lag(rows, colours), cpu(rows, workers, colours),
    ];
    return drawn.filter((picture, at) => at < 2 || picture.traces.length);
  }

  // --- how it is drawn

  function place(root, title) {
    if (charts.has(title)) return charts.get(title);
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const name = document.createElement("span"), about = document.createElement("span"), plot = document.createElement("div");
    name.textContent = title;
    about.className = "soft";
    plot.className = "plot";
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", title);
    caption.append(name, about);
    figure.append(caption, plot);
    const chart = { figure, about, plot };
    charts.set(title, chart);
    root.append(figure);
    return chart;
  }

  // Plotly gives the ends of a zoomed axis as texts such as "1970-01-01 00:00:12.5", without what is zero at the end.
  const milliseconds = (end) =>
    typeof end === "number" ? end : Date.parse(`${end.replace(" ", "T")}${end.includes(":") ? "" : "T00:00"}Z`);

  function follow(chart) {
    chart.plot.on("plotly_relayout", (change) => {
      if (!Object.keys(change).some((key) => key.startsWith("xaxis"))) return;
      range = change["xaxis.autorange"] ? null : chart.plot.layout.xaxis.range.map(milliseconds);
      redraw();
    });
    chart.plot.on("plotly_doubleclick", () => { range = null; redraw(); return false; });
  }

  // All charts have the same width and margins: what is under the mouse in one stands at the same place in the others.
  function point(root) {
    const move = (event) => {
      const plot = event.target.closest(".plot");
      root.style.setProperty("--at", plot ? `${event.clientX - plot.getBoundingClientRect().left}px` : "-9px");
    };
    root.addEventListener("mousemove", move);
    root.addEventListener("mouseleave", () => root.style.setProperty("--at", "-9px"));
  }

  function redraw() {
    if (shown) drawCourse(shown.root, shown.course);
  }

  function drawCourse(root, course) {
    const { rows } = course;
    if (!shown) point(root);
    shown = { root, course };
    if (!rows.length) return;
    const style = getComputedStyle(document.documentElement), dark = darkness.matches;
    const ink = style.getPropertyValue("--soft").trim(), grid = style.getPropertyValue("--line").trim();
    const page = style.getPropertyValue("--page").trim(), narrow = root.clientWidth < 500;
    const last = rows[rows.length - 1], end = last.start_s + last.width_s;
    const axis = { gridcolor: grid, linecolor: grid, zerolinecolor: grid, automargin: false };
    const clock = end > 3600 ? "%-H:%M:%S" : "%-M:%S";
    const wanted = pictures(course, dark ? COLOURS.dark : COLOURS.light);
    for (const [title, chart] of charts) {
      if (!wanted.some((picture) => picture.title === title)) { chart.figure.remove(); charts.delete(title); }
    }
    for (const picture of wanted) {
      const isNew = !charts.has(picture.title), chart = place(root, picture.title);
      chart.about.textContent = (dark && picture.dark) || picture.about;
      root.append(chart.figure);
      const layout = {
        height: 210, margin: { l: 52, r: 46, t: 26, b: 26 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: ink, family: "system-ui, sans-serif", size: 12 }, hovermode: "x unified", showlegend: true,
        hoverlabel: { bgcolor: page, bordercolor: grid, font: { color: style.getPropertyValue("--ink").trim() } },
        legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", font: { size: 11 } }, dragmode: narrow ? false : "zoom",
        ...picture.layout,
        xaxis: { ...axis, type: "date", range: range || [moment(0), moment(end)], tickformat: clock, hoverformat: clock,
          nticks: narrow ? 4 : 9 },
        yaxis: { ...axis, rangemode: "tozero", fixedrange: true, tickformat: ",~g", ...picture.layout.yaxis },
      };
      const config = { responsive: true, displayModeBar: false, doubleClick: false, showTips: false };
      Plotly.react(chart.plot, picture.traces, layout, config);
      if (isNew) follow(chart);
    }
  }

  darkness.addEventListener("change", redraw);
  return { drawCourse };
})();
