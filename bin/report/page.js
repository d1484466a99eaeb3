/*
 * The program of the page. It runs in a browser, reads the data that the page holds, and puts every
 * text into the page as text.
 */
/* global uPlot, document */
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const page = document.getElementById('page');
  /** Returns the colour that a custom property has in the present theme. */
  function style(name, opacity = 1) {
    const probe = element('span', { style: `color: var(${name})` });
    document.body.append(probe);
    const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
    probe.remove();
    return `rgb(${red} ${green} ${blue} / ${opacity})`;
  }
  /** Charts of the version that is shown; they are drawn again when their place changes. */
  let charts = [];

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
      else if (key in made && key !== 'list') made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children.filter(child => child !== null && child !== undefined));
    return made;
  }

  function whole(value) {
    return Number(value).toLocaleString('en');
  }

  function shown(value) {
    if (value === null || value === undefined) return '–';
    if (typeof value !== 'number') return String(value);
    return Number.isInteger(value) ? whole(value) : String(Number(value.toPrecision(4)));
  }

  function time(ms) {
    return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}`;
  }

  function percent(share) {
    return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
  }

  function section(title, ...children) {
    const present = children.filter(child => child !== null);
    return element('section', {}, element('h2', {}, title), ...present);
  }

  function table(columns, rows) {
    const className = ({ number }) => (number ? 'number' : '');
    return element(
      'div',
      { className: 'tableFrame' },
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...columns.map(column =>
              element('th', { scope: 'col', className: className(column) }, column.title),
            ),
          ),
        ),
        element(
          'tbody',
          {},
          ...rows.map(row =>
            element(
              'tr',
              {},
              ...columns.map(column =>
                element('td', { className: className(column) }, shown(column.of(row))),
              ),
            ),
          ),
        ),
      ),
    );
  }

  /** A table behind a chart, for those who cannot see it and for copying. */
  function tableBehind(title, columns, rows) {
    return element('details', {}, element('summary', {}, title), table(columns, rows));
  }

  function chooser(label, names, onChoose) {
    const select = element(
      'select',
      { onchange: () => onChoose(select.value) },
      ...names.map(name => element('option', { value: name }, name)),
    );
    select.setAttribute('aria-label', label);
    return element('label', {}, `${label} `, select);
  }

  /**
   * Draws lines over time.
   * @param lines label, values by time, colour, and dash of each; events are shaded from their start
   */
  function timeChart(title, startsMs, lines, { events = [], band = null } = {}) {
    const frame = element('figure', { className: 'chart' });
    frame.setAttribute('aria-label', title);
    const line = { stroke: style('--line'), width: 1 };
    const axis = { stroke: style('--muted'), grid: line, ticks: line };
    const days = (startsMs.at(-1) - startsMs[0]) / 86_400_000;
    const place = ms => (days > 14 ? time(ms).slice(0, 10) : time(ms).slice(5));
    const options = {
      width: 600,
      height: 240,
      title: '',
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1e3), 'UTC'),
      cursor: { drag: { x: true, y: false } },
      axes: [
        { ...axis, space: 90, values: (_, splits) => splits.map(seconds => place(seconds * 1e3)) },
        { ...axis, size: 70 },
      ],
      series: [
        {
          label: 'window from (UTC)',
          value: (_, seconds) => (seconds === null ? '–' : time(seconds * 1e3)),
        },
        ...lines.map(({ label, color, dash, width = 2 }) => ({
          label,
          stroke: color,
          dash,
          width,
          points: { show: startsMs.length < 80 && width > 0 },
          value: (_, value) => shown(value),
        })),
      ],
      ...(band && { bands: [{ series: band, fill: style('--estimate', 0.2) }] }),
      hooks: {
        drawClear: [
          plot => {
            plot.ctx.save();
            plot.ctx.fillStyle = style('--alarm', 0.15);
            for (const { fromMs, toMs } of events) {
              const left = plot.valToPos(fromMs / 1e3, 'x', true);
              const right = plot.valToPos(toMs / 1e3, 'x', true);
              plot.ctx.fillRect(left, plot.bbox.top, Math.max(right - left, 3), plot.bbox.height);
            }
            plot.ctx.restore();
          },
        ],
      },
    };
    const values = [startsMs.map(ms => ms / 1e3), ...lines.map(line => line.values)];
    charts.push({ frame, options, values });
    return frame;
  }

  function drawCharts() {
    for (const chart of charts) {
      if (!chart.frame.isConnected || chart.frame.clientWidth === 0) continue;
      if (chart.plot) chart.plot.setSize({ width: chart.frame.clientWidth, height: 240 });
      else {
        const options = { ...chart.options, width: chart.frame.clientWidth };
        chart.plot = new uPlot(options, chart.values, chart.frame);
      }
    }
  }

  function eventsOf(version, feature) {
    const own = data.driftEvents.filter(
      event => event.model === version.model && event.version === version.version,
    );
    return feature === undefined ? own : own.filter(event => event.feature === feature);
  }

  function shades(events) {
    return events.map(event => ({
      fromMs: Date.parse(event.windowStart),
      toMs: Date.parse(event.windowEnd),
    }));
  }

  function cards(version) {
    const { counts } = version;
    const refused = Object.values(counts.deadLettered).reduce((sum, count) => sum + count, 0);
    const events = eventsOf(version);
    const open = events.filter(({ status }) => status === 'open').length;
    return element(
      'ul',
      { className: 'cards' },
      ...[
        ['predictions', whole(counts.predictions)],
        ['with labels', whole(counts.labelled)],
        ['duplicates', whole(counts.duplicates)],
        ['late', whole(counts.late)],
        ['refused', whole(refused)],
        ['windows', whole(version.windows.startsMs.length)],
        ['drift events', open > 0 ? `${events.length} (${open} open)` : `${events.length}`],
        ...(version.task ? [['task', version.task]] : []),
      ].map(([label, value]) => element('li', {}, element('b', {}, value), label)),
    );
  }

  function driftEvents(version) {
    const events = eventsOf(version);
    if (events.length === 0)
      return section('What changed', element('p', {}, 'Nothing was found to change.'));
    return section(
      'What changed',
      ...events.map(event =>
        element(
          'article',
          { className: 'panel' },
          element(
            'h3',
            { className: event.status === 'open' ? 'alarm' : '' },
            `${event.cause.replaceAll('_', ' ')}${event.feature ? ` of ${event.feature}` : ''}${event.segment ? ` in ${event.segment}` : ''}`,
          ),
          element(
            'p',
            { className: 'muted' },
            `window from ${time(Date.parse(event.windowStart))} UTC, ${event.severity}, ${standing(event)}`,
          ),
          element('p', {}, event.explanation),
          ...(event.standing ? [element('p', {}, event.standing)] : []),
        ),
      ),
    );
  }

  function standing({ status, persistingSince, endReason, endedBy }) {
    if (endReason)
      return `${status}: ${endReason.replaceAll('_', ' ')}${endedBy ? ` by ${endedBy}` : ''}`;
    return persistingSince
      ? `${status}, persisting since ${time(Date.parse(persistingSince))} UTC`
      : status;
  }

  function notices(version) {
    // A notice without a version is about all versions of the model, one without a model about all.
    const own = data.notices.filter(
      notice =>
        ['', version.model].includes(notice.model) &&
        ['', version.version].includes(notice.version),
    );
    const reading = version.outputEvidence.join(' ');
    if (own.length === 0 && reading === '') return null;
    return section(
      'How it is logged',
      reading === '' ? null : element('p', {}, reading),
      ...own.map(({ message, evidence, advice, since }) =>
        element(
          'article',
          { className: 'panel' },
          element('h3', {}, message),
          element('p', {}, `${evidence} ${advice}`),
          element('p', { className: 'muted' }, `since ${time(Date.parse(since))} UTC`),
        ),
      ),
    );
  }

  /** Columns of quality that are counts; they come after the metrics. */
  const counts = new Set(['labelled', 'errors', 'coverage', 'valueSum']);

  function quality(version) {
    const known = new Set([...Object.keys(version.quality), ...Object.keys(version.estimates)]);
    const metrics = [...known].sort((a, b) => Number(counts.has(a)) - Number(counts.has(b)));
    if (metrics.length === 0) return null;
    const place = element('div', {});
    const draw = metric => {
      const realised = version.quality[metric];
      const estimate = version.estimates[metric];
      const startsMs = [
        ...new Set([...(realised?.startsMs ?? []), ...(estimate?.startsMs ?? [])]),
      ].sort((a, b) => a - b);
      const at = (series, values) => {
        const found = new Map(series?.startsMs.map((start, index) => [start, values[index]]));
        return startsMs.map(start => found.get(start) ?? null);
      };
      const lines = [
        { label: metric, values: at(realised, realised?.values), color: style('--current') },
        ...(estimate
          ? [
              {
                label: 'estimated',
                values: at(estimate, estimate.values),
                color: style('--estimate'),
                dash: [6, 4],
              },
              {
                label: 'upper',
                values: at(estimate, estimate.upper),
                color: style('--estimate'),
                width: 0,
              },
              {
                label: 'lower',
                values: at(estimate, estimate.lower),
                color: style('--estimate'),
                width: 0,
              },
            ]
          : []),
      ];
      const concept = eventsOf(version).filter(({ cause }) => cause === 'concept_drift');
      place.replaceChildren(
        timeChart(`${metric} over time`, startsMs, lines, {
          events: shades(concept),
          band: estimate ? [3, 4] : null,
        }),
        tableBehind(
          'Table',
          [
            { title: 'window from (UTC)', of: index => time(startsMs[index]) },
            ...lines.map(line => ({
              title: line.label,
              number: true,
              of: index => line.values[index],
            })),
          ],
          startsMs.map((_, index) => index),
        ),
      );
      drawCharts();
    };
    const panel = section(
      'Quality',
      element(
        'div',
        { className: 'panel' },
        chooser('Metric', metrics, draw),
        element(
          'p',
          { className: 'muted' },
          'Estimates need no labels. The band is their 95 % interval. Shaded windows have concept drift.',
        ),
        place,
      ),
    );
    draw(metrics[0]);
    return panel;
  }

  function bars(variable, period) {
    const most = Math.max(...variable.reference, ...period.shares, 1e-9);
    const bar = (share, className) =>
      element('div', { className: `bar ${className}`, style: `width:${(share / most) * 100}%` });
    return element(
      'div',
      { className: 'bars' },
      ...variable.labels.flatMap((label, bin) => [
        element('div', { className: 'label', title: label }, label),
        element(
          'div',
          {},
          bar(variable.reference[bin], 'reference'),
          bar(period.shares[bin], 'current'),
        ),
        element(
          'div',
          { className: 'muted' },
          `${percent(variable.reference[bin])} → ${percent(period.shares[bin])}`,
        ),
      ]),
    );
  }

  function distribution(variable) {
    const { periods } = variable;
    const place = element('div', {});
    const text = element('p', { className: 'muted' });
    const show = index => {
      const period = periods[index];
      text.textContent = `from ${time(period.startMs)} UTC, ${whole(period.records)} records`;
      place.replaceChildren(bars(variable, period));
    };
    const slider = element('input', {
      type: 'range',
      min: 0,
      max: periods.length - 1,
      value: periods.length - 1,
      oninput: () => show(Number(slider.value)),
    });
    slider.setAttribute('aria-label', `window of ${variable.name}`);
    show(periods.length - 1);
    return element(
      'div',
      {},
      element(
        'p',
        { className: 'legend' },
        'Share of records:',
        element('span', { className: 'bar reference' }),
        `reference (${whole(variable.referenceRecords)} records)`,
        element('span', { className: 'bar current' }),
        'chosen window',
      ),
      slider,
      text,
      place,
    );
  }

  function overTime(version, variable) {
    const isOutput = variable.kind === 'output';
    const drift = version.drift.filter(
      series => series.feature === variable.name && (series.kind === 'output') === isOutput,
    );
    const place = element('div', {});
    const quantiles = variable.periods.some(period => period.quantiles !== null);
    const views = [
      ...(quantiles ? ['quantiles'] : []),
      'missing rate',
      ...drift.map(series => series.metric),
    ];
    const draw = view => {
      const events = shades(eventsOf(version, variable.name));
      const starts = variable.periods.map(period => period.startMs);
      const color = style('--current');
      if (view === 'quantiles') {
        const line = (label, rank, dash) => ({
          label,
          dash,
          color,
          values: variable.periods.map(period => period.quantiles?.[rank] ?? null),
        });
        const lines = [line('5 %', 0, [4, 4]), line('median', 1), line('95 %', 2, [4, 4])];
        place.replaceChildren(
          timeChart(`quantiles of ${variable.name}`, starts, lines, { events }),
        );
      } else if (view === 'missing rate') {
        const values = variable.periods.map(period => period.missingRate);
        place.replaceChildren(
          timeChart(`missing rate of ${variable.name}`, starts, [{ label: view, values, color }], {
            events,
          }),
        );
      } else {
        const series = drift.find(({ metric }) => metric === view);
        const lines = [
          { label: view, values: series.values, color },
          { label: 'threshold', values: series.thresholds, color: style('--alarm'), dash: [4, 4] },
        ];
        place.replaceChildren(
          timeChart(`${view} of ${variable.name}`, series.startsMs, lines, { events }),
          tableBehind(
            'Table',
            [
              { title: 'window from (UTC)', of: index => time(series.startsMs[index]) },
              { title: view, number: true, of: index => series.values[index] },
              { title: 'threshold', number: true, of: index => series.thresholds[index] },
            ],
            series.startsMs.map((_, index) => index),
          ),
        );
      }
      drawCharts();
    };
    const chosen = chooser('Over time', views, draw);
    draw(views[0]);
    return element('div', {}, chosen, place);
  }

  function variables(version) {
    if (version.variables.length === 0) return null;
    const panels = version.variables.map(variable => {
      const events = eventsOf(version, variable.name);
      const panel = element('details', { className: 'panel' });
      panel.append(
        element(
          'summary',
          {},
          element('b', {}, variable.name),
          ` ${variable.kind === 'output' ? 'output, ' : ''}${variable.type}`,
          events.length > 0
            ? element(
                'span',
                { className: 'alarm' },
                ` ${events.length} drift ${events.length === 1 ? 'event' : 'events'}`,
              )
            : null,
        ),
      );
      panel.addEventListener('toggle', () => {
        if (!panel.open) return;
        if (panel.children.length === 1)
          panel.append(
            element(
              'div',
              { className: 'variable' },
              distribution(variable),
              overTime(version, variable),
            ),
          );
        drawCharts();
      });
      return { panel, changed: events.length > 0 };
    });
    panels.sort((a, b) => Number(b.changed) - Number(a.changed));
    const [first] = panels;
    if (first) first.panel.open = true;
    return section(
      'Features and outputs',
      version.variablesLeftOut > 0
        ? element(
            'p',
            { className: 'muted' },
            `${whole(version.variablesLeftOut)} further ones are in the JSON report only.`,
          )
        : null,
      ...panels.map(({ panel }) => panel),
    );
  }

  function trainedVersions(version) {
    const own = data.modelVersions.filter(({ model }) => model === version.model);
    if (own.length === 0) return null;
    return section(
      'Versions that were trained',
      table(
        [
          { title: 'version', of: row => row.version },
          { title: 'status', of: row => row.status },
          { title: 'instead of', of: row => row.championVersion },
          { title: 'cause', of: row => row.causeType },
          { title: 'reasons', of: row => row.reasons.join(' ') },
        ],
        own,
      ),
    );
  }

  function refusedLines() {
    if (data.refused.length === 0) return null;
    return section(
      'Lines that were refused',
      table(
        [
          { title: 'file', of: row => row.topic },
          { title: 'lines', number: true, of: row => row.count },
          { title: 'class', of: row => row.class },
          { title: 'first of them', of: row => row.example },
        ],
        data.refused,
      ),
    );
  }

  function show(index) {
    charts = [];
    const version = data.versions[index];
    const parts = version
      ? [
          cards(version),
          driftEvents(version),
          notices(version),
          quality(version),
          variables(version),
          trainedVersions(version),
        ]
      : [element('p', {}, 'No line of the files was a prediction.')];
    page.replaceChildren(...[...parts, refusedLines()].filter(part => part !== null));
    drawCharts();
  }

  const files = [data.input.predictions, data.input.feedback].filter(file => file !== null);
  document.getElementById('input').textContent = files
    .map(({ file, lines }) => `${file}: ${whole(lines)} lines`)
    .join('; ');
  const select = document.getElementById('version');
  for (const [index, { model, version }] of data.versions.entries())
    select.append(element('option', { value: index }, `${model}, version ${version}`));
  select.addEventListener('change', () => show(Number(select.value)));
  document.getElementById('chooser').hidden = data.versions.length < 2;
  window.addEventListener('resize', drawCharts);
  window
    .matchMedia('(prefers-color-scheme: dark)')
    .addEventListener('change', () => show(Number(select.value)));
  show(0);
})();
