// Draws the history of a device into its places and follows its values as they change. The page
// shows the values without it, and the history as a table.
'use strict';

const box = document.getElementById('history');
const chinese = box.dataset.lang.startsWith('zh');
const zone = 'Asia/Shanghai';
const charts = new Map();
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const say = (zh, en) => (chinese ? zh : en);

// ---- times and numbers for people

function times(options) {
  const format = new Intl.DateTimeFormat('zh-CN', { timeZone: zone, hour12: false, ...options });
  return seconds => format.format(new Date(seconds * 1000));
}
const clock = times({ hour: '2-digit', minute: '2-digit' });
const date = times({ month: '2-digit', day: '2-digit' });
const whole = times({ month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' });
const tick = box.dataset.span === '24h' ? clock : date;
const number = (value, digits) => (value == null ? '—' : value.toFixed(digits));

// ---- charts of values

// Lines break where nothing was read.
function withGaps(point, gap) {
  const columns = [[], [], [], []];
  point.begin_s.forEach((begin, place) => {
    if (place > 0 && begin - point.begin_s[place - 1] > gap) {
      columns[0].push(point.begin_s[place - 1] + 1);
      columns.slice(1).forEach(column => column.push(null));
    }
    [begin, point.max[place], point.min[place], point.last[place]]
      .forEach((value, column) => columns[column].push(value));
  });
  return columns;
}

function options(place, width, range) {
  const digits = Number(place.dataset.decimals);
  const counter = 'counter' in place.dataset;
  const value = (_, raw) => number(raw, digits);
  const [text, line, brand] = ['--soft', '--line', '--brand'].map(colour);
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const edge = { stroke: 'transparent', points: { show: false }, value, show: !counter };
  return {
    width,
    height: 168,
    padding: [8, 8, 0, 0],
    tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), zone),
    scales: { x: { range }, y: { range: (_, low, high) => around(low, high) } },
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { markers: { show: false } },
    axes: [
      { ...axis, size: 28, space: 56, values: (_, splits) => splits.map(tick) },
      { ...axis, size: 62, values: (_, splits) => splits.map(split => short(split, splits)) },
    ],
    series: [
      { label: say('时间', 'time'), value: (_, raw) => (raw == null ? '—' : whole(raw)) },
      { ...edge, label: say('最高', 'highest') },
      { ...edge, label: say('最低', 'lowest') },
      { label: say('最后', 'last'), stroke: brand, width: 1.6, points: { show: false }, value },
    ],
    bands: counter ? [] : [{ series: [1, 2], fill: `${brand}38` }],
  };
}

// A flat line lies in the middle, and nothing touches the frame.
function around(low, high) {
  if (low == null) return [0, 1];
  const room = (high - low) * 0.08 || Math.max(Math.abs(high) * 0.01, 0.5);
  return [low - room, high + room];
}

function short(value, splits) {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0)) || 1;
  const digits = (String(Number(step.toPrecision(6))).split('.')[1] ?? '').length;
  return Math.abs(value) >= 1e6 ? `${(value / 1e6).toFixed(3)}M` : value.toFixed(digits);
}

function draw(place, point, step, range) {
  charts.get(place)?.destroy();
  charts.delete(place);
  place.textContent = '';
  const name = place.dataset.chart;
  if (!point || point.begin_s.length === 0) {
    const empty = document.createElement('div');
    empty.className = 'empty';
    empty.textContent = say('此期间没有数据', 'nothing of this span');
    place.append(empty);
    return;
  }
  const data = withGaps(point, Math.max(step, Number(place.dataset.every)) * 2.5);
  const chart = new uPlot(options(place, place.clientWidth, () => range), data, place);
  const digits = Number(place.dataset.decimals);
  const unit = place.dataset.unit;
  const title = place.closest('figure').querySelector('figcaption').textContent;
  const low = number(Math.min(...point.min), digits);
  const high = number(Math.max(...point.max), digits);
  const last = number(point.last.at(-1), digits);
  place.setAttribute('aria-label', say(
    `${title}：最低 ${low}，最高 ${high}，最后 ${last} ${unit}`,
    `${title}: lowest ${low}, highest ${high}, last ${last} ${unit}`,
  ));
  place.dataset.drawn = name;
  charts.set(place, chart);
}

// The arrow keys move along the line.
function step(event) {
  const chart = charts.get(event.currentTarget);
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!chart || !move) return;
  event.preventDefault();
  const most = chart.data[0].length - 1;
  const at = Math.min(most, Math.max(0, (chart.cursor.idx ?? most) + move));
  chart.setCursor({ left: chart.valToPos(chart.data[0][at], 'x'), top: 10 });
}

// ---- bands of states

function drawBand(place, point, step, [from, to]) {
  place.textContent = '';
  const labels = JSON.parse(place.dataset.labels);
  const gap = Math.max(step, Number(place.dataset.every)) * 2.5;
  const begins = point?.begin_s ?? [];
  const runs = [];
  begins.forEach((begin, at) => {
    const run = runs.at(-1);
    const code = point.last[at];
    if (run && run.code === code && begin - run.seen <= gap) {
      run.seen = begin;
    } else {
      if (run) run.end = Math.min(begin, run.seen + gap);
      runs.push({ code, begin, seen: begin });
    }
  });
  const share = seconds => Math.min(1, Math.max(0, (seconds - from) / (to - from))) * 100;
  const says = [];
  for (const run of runs) {
    const end = run.end ?? Math.min(to, run.seen + gap);
    const mark = document.createElement('i');
    const meaning = labels[run.code] ?? String(run.code);
    mark.className = `s${Math.abs(Math.trunc(run.code)) % 6}`;
    mark.style.left = `${share(run.begin)}%`;
    mark.style.width = `${share(end) - share(run.begin)}%`;
    mark.title = `${meaning} ${whole(run.begin)} – ${whole(end)}`;
    says.push(mark.title);
    place.append(mark);
  }
  const title = place.previousElementSibling.textContent;
  const told = says.slice(-3).join('; ') || say('没有数据', 'nothing');
  place.setAttribute('aria-label', `${title}: ${told}`);
}

// ---- where it comes from

async function renew() {
  const places = [...box.querySelectorAll('[data-chart]')];
  const bands = [...box.querySelectorAll('[data-band]')];
  const names = [...places.map(p => p.dataset.chart), ...bands.map(p => p.dataset.band)];
  if (names.length === 0 || document.hidden) return;
  const seconds = Number(box.dataset.step);
  const to = Date.now() / 1000;
  const ask = new URLSearchParams({ step: `${seconds}s`, points: names.join(',') });
  // The gateway's clock counts, not this machine's: it knows what "now" is.
  ask.set('span', box.dataset.span);
  const answer = await fetch(`/api/v1/devices/${box.dataset.device}/history?${ask}`);
  if (!answer.ok) throw new Error((await answer.json()).error ?? to);
  const history = await answer.json();
  const range = [history.from_ms / 1000, history.to_ms / 1000];
  const points = new Map(history.points.map(point => [point.name, point]));
  places.forEach(place => draw(place, points.get(place.dataset.chart), history.step_s, range));
  bands.forEach(place => drawBand(place, points.get(place.dataset.band), history.step_s, range));
  box.querySelectorAll('[data-end]').forEach(end => {
    end.textContent = whole(range[end.dataset.end === 'from' ? 0 : 1]);
  });
}

function renewOrSay() {
  renew().catch(error => {
    document.getElementById('history-says').textContent =
      say('历史暂时无法显示：', 'The history cannot be shown right now: ') + error.message;
  });
}

// ---- what changes now

let stream;

function follow() {
  if (document.hidden || stream) return;
  stream = new EventSource(`/api/v1/devices/${box.dataset.device}/live?lang=${chinese ? 'zh' : 'en'}`);
  let first = true;
  stream.addEventListener('values', event => {
    // The first are those that the page shows already.
    JSON.parse(event.data).forEach(value => show(value, !first));
    first = false;
  });
}

function show(value, mark) {
  const row = document.querySelector(`[data-point="${CSS.escape(value.point)}"]`);
  const place = row?.querySelector('[data-value]');
  if (!place) return;
  const changed = place.textContent !== value.text;
  place.textContent = value.text;
  const age = row.querySelector('[data-age]');
  if (age && mark) age.textContent = say('刚刚', 'just now');
  const quality = row.querySelector('[data-quality] .pill');
  if (quality) {
    const look = { good: 'ok', uncertain: 'warn', bad: 'crit' }[value.quality] ?? 'off';
    quality.className = `pill ${look}`;
    quality.textContent = value.quality_text;
    quality.closest('td').classList.toggle('good', value.quality === 'good');
  }
  if (mark && changed) {
    row.classList.remove('fresh');
    void row.offsetWidth; // begins the animation anew
    row.classList.add('fresh');
  }
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    stream?.close();
    stream = undefined;
  } else {
    follow();
    renewOrSay();
  }
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', renewOrSay);
new ResizeObserver(() => charts.forEach((chart, place) => {
  if (place.clientWidth !== chart.width) chart.setSize({ width: place.clientWidth, height: chart.height });
})).observe(box);
box.querySelectorAll('.plot').forEach(place => place.addEventListener('keydown', step));
setInterval(renewOrSay, 60000);
renewOrSay();
follow();
