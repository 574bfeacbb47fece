// Reports video playback: docs/player.md.
globalThis.DataPorterPlayer = { attach(video, options) {

const { endpoint, lessonId, provider, contextTag } = options;
const BATCH = 100, KEPT = 1000, BEAT = 4e3, MINUTE = 6e4; // events and ms
const stop = new AbortController();
let queue = [], size = BATCH, failures = 0, due = 0, busy, token, viewer, key, away;
let position = video.currentTime, watched = 0, ticked = 0, from = null, scrub;

const now = () => new Date().toISOString();
const uuid = () => crypto.randomUUID?.() ??
  "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => (crypto.getRandomValues(new Uint8Array(1))[0] & 15).toString(16));

// Deferred: a throwing callback must not stop us.
const tell = (name, ...words) => options[name] && queueMicrotask(() => options[name](...words));
const drop = (event, error) => {
  queue = queue.filter((other) => other !== event);
  tell("onState", event, error ? "rejected" : "recorded", error);
  if (error) tell("onRejected", event, error);
};

// With a heartbeat.
const save = () => {
  try {
    if (key && queue[0]) localStorage[key] = JSON.stringify([away ? 0 : Date.now(), queue]);
    else if (key) delete localStorage[key];
  } catch {} // quota
};
const keep = (events) => {
  queue.push(...events);
  for (const event of events) tell("onState", event, "waiting");
  while (queue.length > KEPT)
    drop(queue.find(({ event }) => event === "progress_tick") || queue[0], { code: "BUFFER_FULL" });
  save();
};
// Takes over events of closed pages; ids stay.
const adopt = () => {
  for (const other of Object.keys(key ? localStorage : {})) {
    if (other === key || !other.startsWith(key.slice(0, -36))) continue;
    const [alive, events] = JSON.parse(localStorage[other] || "[0,[]]");
    if (Math.abs(Date.now() - alive) < MINUTE) continue;
    delete localStorage[other];
    keep(events);
  }
};

const track = (event, extra) => {
  if (away) return; // paused by page close
  keep([{
    clientEventId: uuid(), recordedAt: now(), event, lessonId, provider, contextTag,
    playbackSeconds: video.currentTime | 0, watchedSeconds: watched | 0, videoDuration: video.duration | 0 || null,
    playbackRate: video.playbackRate, ...extra,
  }]);
  if (queue.length >= BATCH && performance.now() >= due) flush();
};
const seek = () => {
  clearTimeout(scrub);
  if (from !== null) track("seek", { metadata: { from: from | 0, to: video.currentTime | 0 } });
  from = null;
};
const tick = () => {
  seek();
  if (watched > ticked) track("progress_tick");
  ticked = watched;
};

const renew = async () => {
  token = await (options.getToken?.() ?? options.token);
  let sub;
  try {
    ({ sub } = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))));
    if (sub && localStorage) key ||= `dataporter-player ${endpoint} ${sub} ${uuid()}`;
  } catch {} // no JWT or no storage
  viewer ||= sub;
  if (sub !== viewer) throw (token = null); // another user
  adopt();
};
const body = (events, sentAt = now()) => {
  // The clock was set back.
  for (const event of events) if (event.recordedAt > sentAt) event.recordedAt = sentAt;
  return JSON.stringify({ token, sentAt, events });
};
const post = (events) => fetch(endpoint, { method: "POST", body: body(events), signal: AbortSignal.timeout?.(MINUTE) });

const send = async () => {
  if (!queue[0]) return;
  const batch = queue.slice(0, size);
  let answer;
  try {
    if (!token) await renew();
    answer = await post(batch);
    if (answer.status === 401) answer = await renew().then(() => post(batch));
    const { status, ok, headers } = answer, said = await answer.json().catch(() => 0);
    // From the hub, not a proxy.
    const final = status !== 408 && /problem/.test(headers.get("content-type")) && /^(BAD_USER_INPUT|FORBIDDEN)$/.test(said.code);
    if (ok) {
      size = Math.min(size * 2, BATCH);
      said.results.forEach(({ error }, at) => /^(RATE_LIMITED|INTERNAL)$/.test(error?.code) || drop(batch[at], error));
    } else if (final && !batch[1]) drop(batch[0], said);
    // Smaller batches isolate a bad event.
    else if (final || status === 413) size = batch.length >> 1 || 1;
  } catch {} // no network
  save();
  const kept = batch.filter((event) => queue.includes(event));
  for (const event of kept) tell("onState", event, "again");
  if (answer?.ok && !kept[0]) {
    failures = 0;
    return send();
  }
  due = performance.now() + Math.max(Math.min(BEAT * 2 ** failures++, MINUTE) * (1 + Math.random()) / 2, (+answer?.headers.get("retry-after") || 0) * 1e3);
};
const flush = () => (busy ||= send().finally(() => (busy = null)));

const leave = () => {
  tick();
  if (!token || away) return;
  for (let rest = queue, part; rest[0]; rest = rest.slice(part.length)) {
    part = rest.slice(0, BATCH);
    while (new Blob([body(part)]).size > 6e4) part = part.slice(0, part.length >> 1);
    if (!part[0] || !navigator.sendBeacon(endpoint, body(part))) return;
  }
};

const on = (target, name, act) => target.addEventListener(name, act, { signal: stop.signal });
on(video, "play", () => track("play"));
on(video, "pause", () => {
  if (video.ended) tick();
  track("pause");
});
on(video, "timeupdate", () => {
  if (video.seeking) return;
  watched += Math.max(video.currentTime - position, 0) / video.playbackRate || 0;
  position = video.currentTime;
  if (watched - ticked >= 5) tick();
});
on(video, "seeking", () => {
  from ??= position;
  position = video.currentTime;
  clearTimeout(scrub);
  scrub = setTimeout(seek, 500);
});
on(window, "online", flush);
on(window, "pagehide", () => {
  leave();
  away = true;
  save();
});
on(document, "visibilitychange", () => document.hidden && leave());
const beat = setInterval(() => {
  away = false;
  save();
  if (performance.now() >= due) flush();
  adopt();
}, BEAT);
if (!video.paused) track("play");
renew().catch(() => {});

const detach = () => {
  stop.abort();
  clearInterval(beat);
  tick();
  return flush();
};
return { track, flush, detach };

} };
