// The run that is going on: figures, and a chart of the last two minutes.
'use strict';

(() => {
  const KEPT = 480;
  const byId = (id) => document.getElementById(id);
  const points = [];
  const ms = (value) => (value === null ? '–' : `${value.toFixed(value < 10 ? 2 : 1)} ms`);
  const figures = {
    seconds: (s) => `${s.seconds.toFixed(1)} s`,
    invoked: (s) => s.invoked.toLocaleString('en'),
    ok: (s) => s.ok.toLocaleString('en'),
    fail: (s) => s.fail.toLocaleString('en'),
    info: (s) => s.info.toLocaleString('en'),
    rate: (s) => `${s.rate}/s`,
    median_ms: (s) => ms(s.median_ms),
    worst_ms: (s) => ms(s.worst_ms),
    leader: (s) => s.leader || '–',
    faults: (s) => s.faults.join(', ') || 'none',
    verdict: (s) => s.verdict,
  };

  const draw = () => {
    const canvas = byId('chart'), ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const ctx = canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    ctx.scale(ratio, ratio);
    const x = (at) => 8 + (at / Math.max(KEPT - 1, 1)) * (width - 16);
    const first = KEPT - points.length;
    ctx.fillStyle = colour('fault1');
    ctx.globalAlpha = 0.18;
    points.forEach((point, at) => {
      if (point.faults.length) ctx.fillRect(x(first + at) - 1, 0, (width - 16) / KEPT + 1, height);
    });
    ctx.globalAlpha = 1;
    const line = (value, name, label, y) => {
      const most = Math.max(1e-9, ...points.map((point) => value(point) ?? 0));
      ctx.strokeStyle = ctx.fillStyle = colour(name);
      ctx.lineWidth = 1.6;
      ctx.beginPath();
      points.forEach((point, at) => ctx.lineTo(x(first + at), height - 8 - ((value(point) ?? 0) / most) * (height - 40)));
      ctx.stroke();
      ctx.font = `12px ${colour('sans')}`;
      ctx.fillText(label(most), 12, y);
    };
    line((point) => point.rate, 'ok', (most) => `rate, up to ${most}/s`, 16);
    line((point) => point.median_ms, 'info', (most) => `median latency, up to ${ms(most)}`, 32);
  };

  let run = null;
  const show = (standing) => {
    if (standing.run !== run) points.length = 0;
    run = standing.run;
    points.push(standing);
    if (points.length > KEPT) points.shift();
    for (const [name, text] of Object.entries(figures)) byId(`figure-${name}`).textContent = text(standing);
    byId('figure-verdict').classList.toggle('bad', /^(INVALID|VIOLATION)/.test(standing.verdict));
    byId('state').textContent = !standing.going ? 'ended' : standing.caught_up ? 'going on' : 'reading what there is';
    const link = document.createElement('a');
    link.href = `/runs/${standing.run.split('/').map(encodeURIComponent).join('/')}`;
    link.textContent = 'its report';
    byId('run').replaceChildren(`${standing.target} · ${standing.workload} · ${standing.run} `, ...(standing.going ? [] : [link]));
    draw();
    document.documentElement.dataset.ready = 'true';
  };

  const source = new EventSource('/live/events');
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.onerror = () => (byId('state').textContent = 'the server does not answer');
  window.addEventListener('resize', draw);
})();
