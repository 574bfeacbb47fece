// Puts the script before a network that answers as it is told, and lists what it does wrong.
const faults = [];
const expect = (fact, claim) => fact || faults.push(claim);
const settle = () => new Promise((resolve) => setTimeout(resolve));
await import("/player/dataporter-player.js"); // as a module; the demo loads it as a classic script

class Video extends EventTarget {
  currentTime = 0;
  duration = 60;
  playbackRate = 1;
  paused = true;
  seeking = false;
  ended = false;
  tell = (name, state) => this.dispatchEvent(Object.assign(this, state) && new Event(name));
}
const token = (sub, number = 0) => `head.${btoa(JSON.stringify({ sub, number }))}.signature`;

// Every attachment has a hub of its own: what was sent there, and what it will answer.
const hubs = {};
window.fetch = async (endpoint, { body }) => {
  const { sent, answers } = hubs[endpoint];
  const request = JSON.parse(body);
  sent.push(request);
  const answer = answers.shift() ?? ok({});
  return answer(request);
};
const ok = (errors) => ({ events }) =>
  Response.json({ results: events.map(({ clientEventId, event }) => ({ clientEventId, error: errors[event] ?? null })) });
const refused = (status, problem, headers) => () =>
  Response.json(problem, { status, headers: { "content-type": "application/problem+json", ...headers } });
const proxied = (status, body = "<h1>A proxy's page</h1>", type = "text/html") => () =>
  new Response(body, { status, headers: { "content-type": type } });

const beacons = [];
navigator.sendBeacon = (_, body) => beacons.push(body) > 0;

const attached = [];
const attach = async (options) => {
  const video = new Video();
  const states = {};
  const rejected = [];
  const endpoint = `/hub/${attached.length}`;
  const hub = (hubs[endpoint] = { sent: [], answers: [] });
  const player = DataPorterPlayer.attach(video, {
    endpoint,
    token: token("1"),
    lessonId: "7",
    onState: ({ clientEventId }, state) => {
      (states[state] ??= new Set()).add(clientEventId);
      throw new Error("A page's own mistake");
    },
    onRejected: (event, error) => rejected.push([event.event, error.code]),
    ...options,
  });
  attached.push(player);
  await settle();
  return { hub, video, player, rejected, count: (state) => states[state]?.size ?? 0 };
};
// The mistakes above are the page's to complain of.
window.addEventListener("error", (event) => event.preventDefault());

// A hub that is busy gets the same events again.
{
  const { hub, player, count } = await attach();
  hub.answers = [refused(503, {}, { "retry-after": "7" }), refused(500, {}), () => Promise.reject(new TypeError("no network"))];
  player.track("play");
  for (const _ of [1, 2, 3, 4]) await player.flush();
  await settle();
  expect(new Set(hub.sent.map(({ events }) => events[0].clientEventId)).size === 1, "an event sent again has another id");
  expect(count("again") === 1 && count("recorded") === 1, "an event that was refused for now is not recorded later");
  await player.flush();
  expect(hub.sent.length === 4, `what is recorded is sent again: ${hub.sent.length}`);
}

// A token that is no longer good is replaced once.
{
  let number = 0;
  const { hub, player } = await attach({ token: undefined, getToken: async () => token("1", (number += 1)) });
  hub.answers = [refused(401, { code: "UNAUTHENTICATED" })];
  player.track("play");
  await player.flush();
  expect(hub.sent.map((request) => request.token).join() === [token("1", 1), token("1", 2)].join(), "no fresh token");
  Object.assign(hub, { sent: [], answers: [refused(401, {}), refused(401, {})] });
  player.track("pause");
  await player.flush();
  expect(hub.sent.length === 2, "a token is asked for again and again");
}

// What one viewer did does not go out as another's.
{
  let viewer = "1";
  const { hub, player } = await attach({ getToken: async () => token(viewer) });
  hub.answers = [refused(401, {})];
  viewer = "2";
  player.track("play");
  await player.flush();
  await player.flush();
  expect(hub.sent.length === 1, "another viewer's token was used");
}

// What can never be recorded is told and dropped; what may be later is kept.
{
  const { hub, player, rejected, count } = await attach();
  hub.answers = [ok({ a: { code: "BAD_USER_INPUT" }, b: { code: "RATE_LIMITED" }, c: { code: "INTERNAL" } })];
  for (const event of ["a", "b", "c", "d"]) player.track(event);
  await player.flush();
  await settle();
  expect(rejected.join() === "a,BAD_USER_INPUT", `rejected: ${rejected}`);
  expect(count("recorded") === 1 && count("again") === 2, "not exactly b and c are kept");
  await player.flush();
  expect(hub.sent[1].events.map(({ event }) => event).join() === "b,c", "not exactly b and c are sent again");
}

// One event that the hub chokes on does not hold the others back.
{
  const { hub, player, rejected, count } = await attach();
  hub.answers = Array(40).fill((request) =>
    (request.events.some(({ event }) => event === "poison") ? refused(400, { code: "BAD_USER_INPUT" }) : ok({}))(request));
  for (let at = 0; at < 30; at += 1) player.track(at === 17 ? "poison" : "fine");
  for (let round = 0; round < 30; round += 1) await player.flush();
  await settle();
  expect(rejected.join() === "poison,BAD_USER_INPUT", `rejected: ${rejected}`);
  expect(count("recorded") === 29, `${count("recorded")} of 29 are recorded`);
}

// What a proxy refuses is not the hub's word: everything is kept and sent again.
{
  const foreign = JSON.stringify({ status: 403, code: "BLOCKED" });
  const answers = [
    ...[400, 403, 404, 405, 410, 413, 415, 422].map((status) => proxied(status)),
    proxied(403, foreign, "application/problem+json"),
    proxied(422, JSON.stringify({ code: "BAD_USER_INPUT" }), "application/json"),
    proxied(200), // a portal that asks to sign in
    refused(404, { code: "NOT_FOUND" }),
    refused(408, { code: "BAD_USER_INPUT" }),
    refused(429, { code: "RATE_LIMITED" }),
  ];
  for (const number of [1, 3]) {
    const { hub, player, rejected, count } = await attach();
    hub.answers = [...answers];
    for (let at = 0; at < number; at += 1) player.track("play");
    for (let round = 0; round <= answers.length; round += 1) await player.flush();
    await settle();
    expect(rejected.length === 0, `of ${number} a proxy's answer drops: ${rejected}`);
    expect(count("recorded") === number, `${count("recorded")} of ${number} are recorded behind a proxy`);
  }
}

// What the hub itself refuses is told and dropped.
for (const [status, code] of [[400, "BAD_USER_INPUT"], [403, "FORBIDDEN"], [413, "BAD_USER_INPUT"], [422, "BAD_USER_INPUT"]]) {
  const { hub, player, rejected } = await attach();
  hub.answers = [refused(status, { code })];
  player.track("play");
  await player.flush();
  await settle();
  expect(rejected.join() === `play,${code}`, `rejected with ${status}: ${rejected}`);
}

// Whoever takes less at once, hub or proxy, is sent less at once.
for (const answer of [refused(413, { code: "BAD_USER_INPUT" }), proxied(413)]) {
  const { hub, player, rejected, count } = await attach();
  hub.answers = Array(200).fill((request) => (request.events.length > 10 ? answer : ok({}))(request));
  for (let at = 0; at < 90; at += 1) player.track("fine");
  for (let round = 0; round < 30; round += 1) await player.flush();
  await settle();
  expect(rejected.length === 0 && count("recorded") === 90, `${count("recorded")} of 90 in parts, rejected: ${rejected}`);
}

// Every request says what the clock shows, and nothing happens after it was sent, even if the clock was set back.
{
  const RealDate = Date;
  let fast = 0;
  window.Date = class extends RealDate {
    constructor(...parts) {
      super(...(parts.length ? parts : [RealDate.now() + fast]));
    }
    static now = () => RealDate.now() + fast;
  };
  const { hub, player } = await attach();
  const shown = ({ sentAt }) => Math.abs(RealDate.parse(sentAt) - Date.now()) < 60_000;
  for (fast of [0, 7_200_000, -7_200_000]) {
    hub.sent = [];
    player.track("play");
    await player.flush();
    const [request] = hub.sent;
    expect(shown(request), `a clock ${fast} ms fast sends ${request.sentAt}`);
    const age = RealDate.parse(request.sentAt) - RealDate.parse(request.events[0].recordedAt);
    expect(age >= 0 && age < 60_000, `sent ${age} ms after it happened`);
  }
  fast = 0;
  hub.sent = [];
  hub.answers = [refused(401, {}), refused(503, {})];
  player.track("play");
  await player.flush();
  fast = 7_200_000;
  player.track("pause");
  await player.flush();
  expect(shown(hub.sent.at(-1)) && !shown(hub.sent[0]), "a request that is sent again says when the first was sent");
  hub.answers = [refused(503, {})];
  player.track("seek");
  await player.flush();
  fast = 0;
  beacons.length = 0;
  player.track("play");
  window.dispatchEvent(new Event("pagehide"));
  const requests = beacons.map((beacon) => JSON.parse(beacon));
  expect(requests.some(({ events }) => events.some(({ event }) => event === "seek")), "no beacon holds what waits");
  for (const request of requests) {
    expect(shown(request), `a beacon says ${request.sentAt}`);
    expect(request.events.every(({ recordedAt }) => recordedAt <= request.sentAt), "an event happens after it was sent");
  }
  window.Date = RealDate;
}

// The buffer is bounded, and ticks go first.
{
  const { hub, player, rejected } = await attach();
  hub.answers = Array(9).fill(() => Promise.reject(new TypeError("no network")));
  for (const event of ["play", "seek"]) player.track(event);
  for (let at = 0; at < 1003; at += 1) player.track("progress_tick");
  await settle();
  expect(rejected.length === 5 && rejected.every(([event]) => event === "progress_tick"), `lost: ${rejected}`);
  Object.assign(hub, { sent: [], answers: [] });
  await player.flush();
  expect(hub.sent[0].events[0].event === "play" && hub.sent.length === 10, "not sent by the hundred, oldest first");
}

// Time is counted that was played, not skipped; a drag along the bar is one seek.
{
  const { hub, video, player } = await attach();
  video.tell("play", { paused: false });
  for (let second = 1; second <= 6; second += 1) video.tell("timeupdate", { currentTime: second });
  for (const currentTime of [10, 20, 40]) video.tell("seeking", { currentTime, seeking: true });
  video.tell("timeupdate", { seeking: false });
  await new Promise((resolve) => setTimeout(resolve, 700));
  video.tell("timeupdate", { currentTime: 44, playbackRate: 2 });
  video.tell("pause", { paused: true, ended: true });
  await player.flush();
  const told = hub.sent[0].events.map(({ event, watchedSeconds, playbackSeconds }) => [event, watchedSeconds, playbackSeconds]);
  const expected = [["play", 0, 0], ["progress_tick", 5, 5], ["seek", 6, 40], ["progress_tick", 8, 44], ["pause", 8, 44]];
  expect(JSON.stringify(told) === JSON.stringify(expected), `told: ${JSON.stringify(told)}`);
  expect(JSON.stringify(hub.sent[0].events[2].metadata) === '{"from":6,"to":40}', "the seek does not say from where to where");
}

// Beacons are small enough to be taken, and hold everything.
{
  const { hub, player } = await attach();
  for (let at = 0; at < 60; at += 1) player.track("cta_view", { metadata: { text: "ñ".repeat(1500) } });
  beacons.length = 0;
  window.dispatchEvent(new Event("pagehide"));
  const sizes = beacons.map((body) => new Blob([body]).size);
  expect(sizes.length > 2 && sizes.every((size) => size <= 60_000), `beacons of ${sizes}`);
  const views = beacons.flatMap((body) => JSON.parse(body).events).filter(({ event }) => event === "cta_view");
  expect(views.length === 60, "the beacons do not hold everything");
}

// Where a page is not secure, ids are made otherwise.
{
  const { hub, player } = await attach();
  Object.defineProperty(crypto, "randomUUID", { value: undefined });
  player.track("play");
  await player.flush();
  const id = hub.sent[0].events[0].clientEventId;
  expect(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), `no UUID: ${id}`);
}

for (const player of attached) await player.detach();
return faults;
