// Runs the player script against a simulated hub, and returns the failed expectations.
const failures = [];
const expect = (condition, failure) => condition || failures.push(failure);
const settle = () => new Promise((resolve) => setTimeout(resolve));
await import("/player/dataporter-player.js"); // as a module; the demo loads it as a classic script

class Video extends EventTarget {
  currentTime = 0;
  duration = 60;
  playbackRate = 1;
  paused = true;
  seeking = false;
  ended = false;
  emit = (name, state) => this.dispatchEvent(Object.assign(this, state) && new Event(name));
}
const token = (sub, number = 0) => `head.${btoa(JSON.stringify({ sub, number }))}.signature`;

// Every attached player has its own hub, with the requests it got and its next responses.
const hubs = {};
window.fetch = async (endpoint, { body }) => {
  const { sent, responses } = hubs[endpoint];
  const request = JSON.parse(body);
  sent.push(request);
  const respond = responses.shift() ?? ok({});
  return respond(request);
};
const ok = (errors) => ({ events }) =>
  Response.json({ results: events.map(({ clientEventId, event }) => ({ clientEventId, error: errors[event] ?? null })) });
const hubError = (status, problem, headers) => () =>
  Response.json(problem, { status, headers: { "content-type": "application/problem+json", ...headers } });
const proxyPage = (status, body = "<h1>A proxy's page</h1>", type = "text/html") => () =>
  new Response(body, { status, headers: { "content-type": type } });

const beacons = [];
navigator.sendBeacon = (_, body) => beacons.push(body) > 0;

const attached = [];
const attach = async (options) => {
  const video = new Video();
  const states = {};
  const rejected = [];
  const endpoint = `/hub/${attached.length}`;
  const hub = (hubs[endpoint] = { sent: [], responses: [] });
  const player = DataPorterPlayer.attach(video, {
    endpoint,
    token: token("1"),
    lessonId: "7",
    onState: ({ clientEventId }, state) => {
      (states[state] ??= new Set()).add(clientEventId);
      throw new Error("An error in the page's callback");
    },
    onRejected: (event, error) => rejected.push([event.event, error.code]),
    ...options,
  });
  attached.push(player);
  await settle();
  return { hub, video, player, rejected, count: (state) => states[state]?.size ?? 0 };
};
// Errors thrown by the page's own callbacks, like the one above, must not affect the script.
window.addEventListener("error", (event) => event.preventDefault());

// Events that a busy hub rejects are sent again with the same ID.
{
  const { hub, player, count } = await attach();
  hub.responses = [hubError(503, {}, { "retry-after": "7" }), hubError(500, {}), () => Promise.reject(new TypeError("no network"))];
  player.track("play");
  for (const _ of [1, 2, 3, 4]) await player.flush();
  await settle();
  expect(new Set(hub.sent.map(({ events }) => events[0].clientEventId)).size === 1, "an event that is sent again has a different ID");
  expect(count("again") === 1 && count("recorded") === 1, "a temporarily rejected event is not recorded later");
  await player.flush();
  expect(hub.sent.length === 4, `a recorded event is sent again: ${hub.sent.length}`);
}

// An expired token is replaced once.
{
  let number = 0;
  const { hub, player } = await attach({ token: undefined, getToken: async () => token("1", (number += 1)) });
  hub.responses = [hubError(401, { code: "UNAUTHENTICATED" })];
  player.track("play");
  await player.flush();
  expect(hub.sent.map((request) => request.token).join() === [token("1", 1), token("1", 2)].join(), "the token is not refreshed");
  Object.assign(hub, { sent: [], responses: [hubError(401, {}), hubError(401, {})] });
  player.track("pause");
  await player.flush();
  expect(hub.sent.length === 2, "the token is refreshed repeatedly");
}

// Events of one viewer are not sent with another viewer's token.
{
  let viewer = "1";
  const { hub, player } = await attach({ getToken: async () => token(viewer) });
  hub.responses = [hubError(401, {})];
  viewer = "2";
  player.track("play");
  await player.flush();
  await player.flush();
  expect(hub.sent.length === 1, "another viewer's token was used");
}

// Permanently rejected events are reported and dropped. Temporarily rejected events are kept.
{
  const { hub, player, rejected, count } = await attach();
  hub.responses = [ok({ a: { code: "BAD_USER_INPUT" }, b: { code: "RATE_LIMITED" }, c: { code: "INTERNAL" } })];
  for (const event of ["a", "b", "c", "d"]) player.track(event);
  await player.flush();
  await settle();
  expect(rejected.join() === "a,BAD_USER_INPUT", `rejected: ${rejected}`);
  expect(count("recorded") === 1 && count("again") === 2, "the kept events are not exactly b and c");
  await player.flush();
  expect(hub.sent[1].events.map(({ event }) => event).join() === "b,c", "the retried events are not exactly b and c");
}

// One event that the hub rejects with a whole request does not block the others.
{
  const { hub, player, rejected, count } = await attach();
  hub.responses = Array(40).fill((request) =>
    (request.events.some(({ event }) => event === "poison") ? hubError(400, { code: "BAD_USER_INPUT" }) : ok({}))(request));
  for (let at = 0; at < 30; at += 1) player.track(at === 17 ? "poison" : "fine");
  for (let round = 0; round < 30; round += 1) await player.flush();
  await settle();
  expect(rejected.join() === "poison,BAD_USER_INPUT", `rejected: ${rejected}`);
  expect(count("recorded") === 29, `${count("recorded")} of 29 are recorded`);
}

// Errors of a proxy are not the hub's: every event is kept and sent again.
{
  const foreign = JSON.stringify({ status: 403, code: "BLOCKED" });
  const responses = [
    ...[400, 403, 404, 405, 410, 413, 415, 422].map((status) => proxyPage(status)),
    proxyPage(403, foreign, "application/problem+json"),
    proxyPage(422, JSON.stringify({ code: "BAD_USER_INPUT" }), "application/json"),
    proxyPage(200), // a captive portal
    hubError(404, { code: "NOT_FOUND" }),
    hubError(408, { code: "BAD_USER_INPUT" }),
    hubError(429, { code: "RATE_LIMITED" }),
  ];
  for (const number of [1, 3]) {
    const { hub, player, rejected, count } = await attach();
    hub.responses = [...responses];
    for (let at = 0; at < number; at += 1) player.track("play");
    for (let round = 0; round <= responses.length; round += 1) await player.flush();
    await settle();
    expect(rejected.length === 0, `a proxy's response drops some of ${number} events: ${rejected}`);
    expect(count("recorded") === number, `${count("recorded")} of ${number} events are recorded through a proxy`);
  }
}

// Events that the hub itself rejects are reported and dropped.
for (const [status, code] of [[400, "BAD_USER_INPUT"], [403, "FORBIDDEN"], [413, "BAD_USER_INPUT"], [422, "BAD_USER_INPUT"]]) {
  const { hub, player, rejected } = await attach();
  hub.responses = [hubError(status, { code })];
  player.track("play");
  await player.flush();
  await settle();
  expect(rejected.join() === `play,${code}`, `rejected with ${status}: ${rejected}`);
}

// If the hub or a proxy rejects large requests, requests become smaller.
for (const tooLarge of [hubError(413, { code: "BAD_USER_INPUT" }), proxyPage(413)]) {
  const { hub, player, rejected, count } = await attach();
  hub.responses = Array(200).fill((request) => (request.events.length > 10 ? tooLarge : ok({}))(request));
  for (let at = 0; at < 90; at += 1) player.track("fine");
  for (let round = 0; round < 30; round += 1) await player.flush();
  await settle();
  expect(rejected.length === 0 && count("recorded") === 90, `${count("recorded")} of 90 events are recorded, rejected: ${rejected}`);
}

// Every request has the time of the viewer's clock.
// No event is later than its request, even if the clock was set back.
{
  const RealDate = Date;
  let clockOffset = 0;
  window.Date = class extends RealDate {
    constructor(...parts) {
      super(...(parts.length ? parts : [RealDate.now() + clockOffset]));
    }
    static now = () => RealDate.now() + clockOffset;
  };
  const { hub, player } = await attach();
  const isCurrent = ({ sentAt }) => Math.abs(RealDate.parse(sentAt) - Date.now()) < 60_000;
  for (clockOffset of [0, 7_200_000, -7_200_000]) {
    hub.sent = [];
    player.track("play");
    await player.flush();
    const [request] = hub.sent;
    expect(isCurrent(request), `a clock that is ${clockOffset} ms ahead sends ${request.sentAt}`);
    const age = RealDate.parse(request.sentAt) - RealDate.parse(request.events[0].recordedAt);
    expect(age >= 0 && age < 60_000, `sent ${age} ms after the event`);
  }
  clockOffset = 0;
  hub.sent = [];
  hub.responses = [hubError(401, {}), hubError(503, {})];
  player.track("play");
  await player.flush();
  clockOffset = 7_200_000;
  player.track("pause");
  await player.flush();
  expect(isCurrent(hub.sent.at(-1)) && !isCurrent(hub.sent[0]), "a retried request has the time of the first attempt");
  hub.responses = [hubError(503, {})];
  player.track("seek");
  await player.flush();
  clockOffset = 0;
  beacons.length = 0;
  player.track("play");
  window.dispatchEvent(new Event("pagehide"));
  const requests = beacons.map((beacon) => JSON.parse(beacon));
  expect(requests.some(({ events }) => events.some(({ event }) => event === "seek")), "no beacon has the buffered event");
  for (const request of requests) {
    expect(isCurrent(request), `a beacon has the time ${request.sentAt}`);
    expect(request.events.every(({ recordedAt }) => recordedAt <= request.sentAt), "an event is later than its request");
  }
  window.Date = RealDate;
}

// The buffer is bounded, and drops progress ticks first.
{
  const { hub, player, rejected } = await attach();
  hub.responses = Array(9).fill(() => Promise.reject(new TypeError("no network")));
  for (const event of ["play", "seek"]) player.track(event);
  for (let at = 0; at < 1003; at += 1) player.track("progress_tick");
  await settle();
  expect(rejected.length === 5 && rejected.every(([event]) => event === "progress_tick"), `dropped: ${rejected}`);
  Object.assign(hub, { sent: [], responses: [] });
  await player.flush();
  expect(hub.sent[0].events[0].event === "play" && hub.sent.length === 10, "events are not sent in hundreds, oldest first");
}

// Watched time excludes skipped parts, and a drag along the bar is one seek.
{
  const { hub, video, player } = await attach();
  video.emit("play", { paused: false });
  for (let second = 1; second <= 6; second += 1) video.emit("timeupdate", { currentTime: second });
  for (const currentTime of [10, 20, 40]) video.emit("seeking", { currentTime, seeking: true });
  video.emit("timeupdate", { seeking: false });
  await new Promise((resolve) => setTimeout(resolve, 700));
  video.emit("timeupdate", { currentTime: 44, playbackRate: 2 });
  video.emit("pause", { paused: true, ended: true });
  await player.flush();
  const actual = hub.sent[0].events.map(({ event, watchedSeconds, playbackSeconds }) => [event, watchedSeconds, playbackSeconds]);
  const expected = [["play", 0, 0], ["progress_tick", 5, 5], ["seek", 6, 40], ["progress_tick", 8, 44], ["pause", 8, 44]];
  expect(JSON.stringify(actual) === JSON.stringify(expected), `events: ${JSON.stringify(actual)}`);
  expect(JSON.stringify(hub.sent[0].events[2].metadata) === '{"from":6,"to":40}', "the seek has no start and end");
}

// Beacons are within the browser's size limit, and contain every event.
{
  const { hub, player } = await attach();
  for (let at = 0; at < 60; at += 1) player.track("cta_view", { metadata: { text: "ñ".repeat(1500) } });
  beacons.length = 0;
  window.dispatchEvent(new Event("pagehide"));
  const sizes = beacons.map((body) => new Blob([body]).size);
  expect(sizes.length > 2 && sizes.every((size) => size <= 60_000), `beacons of ${sizes}`);
  const views = beacons.flatMap((body) => JSON.parse(body).events).filter(({ event }) => event === "cta_view");
  expect(views.length === 60, "the beacons do not contain every event");
}

// Without a secure context, IDs are still UUIDs.
{
  const { hub, player } = await attach();
  Object.defineProperty(crypto, "randomUUID", { value: undefined });
  player.track("play");
  await player.flush();
  const id = hub.sent[0].events[0].clientEventId;
  expect(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), `not a UUID: ${id}`);
}

for (const player of attached) await player.detach();
return failures;
