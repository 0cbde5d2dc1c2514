"use strict";
(function () {
  const all = JSON.parse(document.getElementById("data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const faint = (hex, share) => {
    const number = parseInt(hex.slice(1), 16);
    return `rgba(${number >> 16},${(number >> 8) & 255},${number & 255},${share})`;
  };
  const line = (x, y, name, of, more) =>
    Object.assign({ x, y, name, type: "scatter", mode: "lines", line: { color: colour(of), width: 1.6 } }, more);
  const band = (x, lower, upper, of, name, shown) => [
    line(x, lower, name, of, { line: { width: 0 }, showlegend: false, hoverinfo: "skip", legendgroup: name }),
    line(x, upper, name, of, { line: { width: 0 }, fill: "tonexty", fillcolor: faint(colour(of), 0.2), showlegend: shown, legendgroup: name, hoverinfo: "skip" }),
  ];
  const frame = (more) => {
    const axis = { gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"), automargin: true };
    return Object.assign({
      paper_bgcolor: colour("paper"), plot_bgcolor: colour("paper"),
      font: { color: colour("ink"), family: "system-ui, sans-serif", size: 12 },
      margin: { l: 8, r: 8, t: 8, b: 8 }, hovermode: "x unified",
      hoverlabel: { bgcolor: colour("soft"), bordercolor: colour("line"), font: { color: colour("ink") } },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      xaxis: Object.assign({}, axis), yaxis: Object.assign({}, axis),
    }, more);
  };
  const percent = Math.round;

  const kinds = {
    forecast(of) {
      const ahead = of.ds.slice(of.learnt), before = of.ds.slice(0, of.learnt);
      // Where there are candles the line of closes ends.
      const drawn = of.candles ? before.indexOf(of.candles.ds[0]) : -1;
      const closes = drawn < 0 ? of.learnt : drawn + 1;
      const traces = [
        ...band(ahead, of.lower.slice(of.learnt), of.upper.slice(of.learnt), "two", percent(of.level * 100) + " % band", true),
        line(before.slice(0, closes), of.y.slice(0, closes), "actual", "one", { showlegend: !of.candles }),
        line(before, of.yhat.slice(0, of.learnt), "fitted", "three", { line: { color: colour("three"), width: 1 } }),
        line(ahead, of.yhat.slice(of.learnt), "forecast", "two", { line: { color: colour("two"), width: 2.2 } }),
      ];
      if (of.candles) {
        const side = (name) => ({ line: { color: colour(name), width: 1 }, fillcolor: colour(name) });
        traces.push({
          type: "candlestick", x: of.candles.ds, open: of.candles.open, high: of.candles.high, low: of.candles.low,
          close: of.candles.close, name: "actual", increasing: side("one"), decreasing: side("dim"),
        });
      }
      const layout = frame();
      const first = Math.max(0, of.learnt - 365);
      layout.xaxis.range = [of.ds[first], of.ds[of.ds.length - 1]];
      layout.xaxis.rangeslider = { thickness: 0.08, bgcolor: colour("soft"), bordercolor: colour("line"), yaxis: { rangemode: "auto" } };
      const extremes = of.candles ? of.candles.high.concat(of.candles.low) : [];
      const seen = of.y.slice(first).concat(drawn < 0 ? [] : extremes).concat(of.lower.slice(of.learnt), of.upper.slice(of.learnt));
      const low = Math.min(...seen), high = Math.max(...seen), room = (high - low) * 0.06 || 1;
      layout.yaxis.range = [low - room, high + room];
      layout.shapes = of.holidays.map((it) => ({
        type: "rect", xref: "x", yref: "paper", x0: it.from, x1: it.to, y0: 0, y1: 1, layer: "below",
        line: { width: 0 }, fillcolor: faint(colour("four"), 0.18),
      }));
      layout.annotations = of.holidays.map((it) => ({
        x: it.from, y: 1, xref: "x", yref: "paper", yanchor: "top", xanchor: "left", text: it.name, showarrow: false,
        textangle: 90, font: { size: 11, color: colour("four") },
      }));
      return [traces, layout];
    },
    judged(of) {
      const traces = [];
      const begin = of.judgings.length ? of.ds.findIndex((ds) => ds >= of.judgings[0].ds[0]) : -1;
      if (begin >= 0) {
        const whole = { line: { color: colour("one"), width: 1 }, opacity: 0.45, showlegend: false, hoverinfo: "skip" };
        traces.push(line(of.ds.slice(begin, of.learnt), of.y.slice(begin), "actual", "one", whole));
      }
      of.judgings.forEach((it, index) => {
        const first = index === 0;
        traces.push(...band(it.ds, it.lower, it.upper, "two", percent(of.level * 100) + " % band", first));
        traces.push(line(it.ds, it.y, "actual", "one", { showlegend: first, legendgroup: "actual" }));
        traces.push(line(it.ds, it.yhat, "forecast", "two", { showlegend: first, legendgroup: "forecast" }));
      });
      return [traces, frame({ hovermode: "closest" })];
    },
    steps(of) {
      const colours = ["two", "one", "three"];
      const traces = of.mape.map((it, index) =>
        line(it.values.map((_, step) => step + 1), it.values, it.model, colours[index]));
      const layout = frame();
      layout.xaxis.title = { text: "step" };
      layout.yaxis.title = { text: "MAPE %" };
      layout.yaxis.rangemode = "tozero";
      return [traces, layout];
    },
    residuals(of) {
      const traces = of.judgings.map((it) => ({
        x: it.ds, y: it.y.map((y, row) => y - it.yhat[row]), type: "scatter", mode: "markers", showlegend: false,
        marker: { size: 4, color: colour("two") }, name: of.model,
      }));
      return [traces, frame({ hovermode: "closest" })];
    },
    components(of) {
      const names = of.components, colours = ["one", "two", "three", "four"];
      const layout = frame({ showlegend: false, grid: { rows: names.length, columns: 1, pattern: "coupled" } });
      const gap = 0.05, height = (1 + gap) / Math.max(1, names.length) - gap;
      layout.annotations = [];
      const traces = names.map((it, index) => {
        const suffix = index === 0 ? "" : String(index + 1);
        const top = 1 - index * (height + gap);
        layout["yaxis" + suffix] = Object.assign({}, layout.yaxis, { domain: [Math.max(0, top - height), top], tickformat: it.share ? ".1%" : "" });
        layout.annotations.push({
          xref: "paper", yref: "paper", x: 0, y: top, xanchor: "left", yanchor: "bottom", showarrow: false,
          text: it.name + (it.share ? ", share of the trend" : ""), font: { size: 11, color: colour("dim") },
        });
        return line(of.ds, it.values, it.name, colours[index % colours.length], { yaxis: "y" + suffix });
      });
      layout.margin.t = 22;
      layout.height = 90 + 130 * names.length;
      return [traces, layout];
    },
  };

  const draw = () => {
    document.querySelectorAll(".chart").forEach((chart) => {
      const [traces, layout] = kinds[chart.dataset.kind](all[chart.dataset.of]);
      if (layout.height) chart.style.height = layout.height + "px";
      Plotly.react(chart, traces, layout, { responsive: true, displaylogo: false, displayModeBar: false });
    });
  };
  draw();
  dark.addEventListener("change", draw);
})();
