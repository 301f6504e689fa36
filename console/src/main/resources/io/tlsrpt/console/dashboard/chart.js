// <day-chart>: days against numbers on uPlot, as wide as its place, in the colours of the theme.
import uPlot from '/lib/uplot/uPlot.esm.js';

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

class DayChart extends HTMLElement {
  #spec;
  #plot;
  #drawn;
  #width = 0;
  #sizes = new ResizeObserver(() => this.#draw());
  #themes = new AbortController();

  set spec(spec) {
    const drawn = JSON.stringify([spec.days, spec.series, spec.height]);
    this.#spec = spec;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.dataset.height = spec.height;
    this.style.blockSize = `${spec.height}px`;
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.isConnected) this.#draw();
  }

  connectedCallback() {
    this.#themes = new AbortController();
    const again = () => {
      this.#plot?.destroy();
      this.#plot = undefined;
      this.#draw();
    };
    document.addEventListener('theme', () => requestAnimationFrame(again), { signal: this.#themes.signal });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again, { signal: this.#themes.signal });
    this.#sizes.observe(this);
  }

  disconnectedCallback() {
    this.#sizes.disconnect();
    this.#themes.abort();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  /** A colour of the style sheet as the browser computes it. */
  #colour(name, alpha = 1) {
    const probe = document.createElement('span');
    probe.style.color = `var(--${name})`;
    this.append(probe);
    const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g);
    probe.remove();
    return `rgb(${r} ${g} ${b} / ${alpha})`;
  }

  #draw() {
    const spec = this.#spec;
    const width = Math.floor(this.clientWidth);
    if (!spec || width < 50) return;
    if (this.#plot) {
      if (width !== this.#width) this.#plot.setSize({ width, height: spec.height });
      this.#width = width;
      return;
    }
    this.#width = width;
    const seconds = spec.days.map(day => Date.parse(`${day}T00:00:00Z`) / 1000);
    const scale = one => (one.percent ? 'share' : 'count');
    const bars = uPlot.paths.bars({ size: [0.7, 40], gap: 1 });
    const axis = {
      stroke: this.#colour('muted'),
      grid: { stroke: this.#colour('line', 0.7), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    const scales = new Set(spec.series.map(scale));
    const tip = document.createElement('div');
    tip.className = 'chart-tip';
    const options = {
      width,
      height: spec.height,
      tzDate: stamp => uPlot.tzDate(new Date(stamp * 1000), 'Etc/UTC'),
      legend: { show: false },
      padding: [10, 12, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: Boolean(spec.onRange), y: false, setScale: false } },
      scales: {
        x: { range: (_, low, high) => [low - 43_200, high + 43_200] },
        count: { range: (_, __, high) => [0, Math.max(high * 1.1, 4)] },
        share: { range: (_, low) => [Math.max(0, Math.min(low ?? 1, 0.98) - 0.02), 1.002] },
      },
      axes: [
        { ...axis, grid: { show: false }, space: 70, size: 26, gap: 6, incrs: [1, 2, 7, 14, 30, 60, 90, 180, 365].map(days => days * 86_400),
          values: (_, splits) => splits.map((stamp, i) => this.#day(stamp, splits[i - 1])) },
        ...[...scales].map(name => ({
          ...axis, scale: name, size: 56, space: 36,
          incrs: name === 'count' ? [1, 2, 5].flatMap(n => Array.from({ length: 12 }, (_, e) => n * 10 ** e)).sort((a, b) => a - b) : undefined,
          values: (_, splits) => splits.map(value => (name === 'share'
            ? value > 1 ? '' : `${Number((value * 100).toFixed(2))}\u202f%` : COMPACT.format(value))),
        })),
      ],
      series: [
        {},
        ...spec.series.map(one => ({
          label: one.label,
          scale: scale(one),
          stroke: this.#colour(one.colour),
          width: one.kind === 'bars' ? 0 : 1.75,
          fill: one.kind === 'bars' ? this.#colour(one.colour, 0.85) : one.area ? this.#colour(one.colour, 0.1) : undefined,
          paths: one.kind === 'bars' ? bars : undefined,
          points: one.kind === 'bars' ? { show: false } : { 
            size: 5, fill: this.#colour(one.colour), show: (_, __, from, to) => to - from < 60,
            filter: (plot, i, shown) => (shown ? null : alone(plot.data[i])),
          },
          spanGaps: false,
        })),
      ],
      hooks: {
        ready: [plot => plot.over.append(tip)],
        setCursor: [plot => this.#tell(plot, tip)],
        setSelect: [plot => {
          if (plot.select.width < 8) return;
          const at = x => plot.posToIdx(x);
          spec.onRange?.(spec.days[at(plot.select.left)], spec.days[at(plot.select.left + plot.select.width)]);
          plot.setSelect({ width: 0, height: 0 }, false);
        }],
      },
    };
    this.#plot = new uPlot(options, [seconds, ...spec.series.map(one => one.values.map(value => value ?? null))], this);
  }

  #day(stamp, before) {
    const day = new Date(stamp * 1000);
    const turned = before !== undefined && new Date(before * 1000).getUTCFullYear() !== day.getUTCFullYear();
    const words = day.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
    return turned ? `${words} ${day.getUTCFullYear()}` : words;
  }

  #tell(plot, tip) {
    const i = plot.cursor.idx;
    if (i === null || i === undefined || plot.cursor.left < 0) {
      tip.dataset.on = 'false';
      return;
    }
    const spec = this.#spec;
    tip.replaceChildren();
    const head = document.createElement('strong');
    head.textContent = `${spec.days[i]} UTC`;
    tip.append(head);
    for (const one of spec.series) {
      const line = document.createElement('span');
      const mark = document.createElement('i');
      mark.dataset.colour = one.colour;
      line.append(mark, `${one.label}: ${one.words(one.values[i])}`);
      tip.append(line);
    }
    tip.dataset.on = 'true';
    const right = plot.cursor.left > plot.over.clientWidth / 2;
    tip.style.insetInlineStart = right ? '' : `${plot.cursor.left + 12}px`;
    tip.style.insetInlineEnd = right ? `${plot.over.clientWidth - plot.cursor.left + 12}px` : '';
  }
}

customElements.define('day-chart', DayChart);

/** Indices of values without neighbours, through which no line goes; null when there is none. */
function alone(values) {
  const found = [];
  values.forEach((value, i) => {
    if (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null) found.push(i);
  });
  return found.length ? found : null;
}
