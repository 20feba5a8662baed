// The page in a real browser: what a person sees, and what a person does from an alert's link.
// Run by scripts/test-browser, which says where things are: BRIDGE (the command), CHROMIUM, SHOTS (a folder for pictures).

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const { BRIDGE, CHROMIUM, SHOTS, MODULES } = process.env;
const require = createRequire(join(MODULES, "node_modules", "x.js"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
const run = promisify(execFile);

const ROOT = new URL("../..", import.meta.url).pathname;
const KEY = "cio-test-signing-key-0001";
const SIZES = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 375, height: 812 }, colorScheme: "light", isMobile: true, hasTouch: true },
  wall: { viewport: { width: 1920, height: 1080 }, colorScheme: "dark" },
};

let browser;
let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bridge-browser-"));
  await mkdir(SHOTS, { recursive: true });
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A tab in which nothing runs as a script but what the test itself asks, and that reports what it asked elsewhere. */
async function tab(size, javaScriptEnabled = false) {
  const context = await browser.newContext({ ...SIZES[size], javaScriptEnabled, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.asked = [];
  page.on("request", (request) => page.asked.push(request.url()));
  page.complaints = [];
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  return page;
}

async function findings(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")}`);
  });
  return found;
}

/** What stands out of the window to the right. */
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

test("the page of a made-up bridge says what is wrong, in every size, and axe finds nothing", async () => {
  await run(BRIDGE, ["preview", "--out", folder, "--at", "2026-11-24T13:05:00Z"]);
  for (const [file, says] of [["status-trouble.html", /Password reset .* failed since/], ["status-calm.html", /All 12 workflows fired as expected/]]) {
    for (const size of Object.keys(SIZES)) {
      const page = await tab(size, true);
      await page.goto(pathToFileURL(join(folder, file)).href);
      assert.match(await page.textContent("h1"), says);
      assert.equal(page.asked.length, 1, `one request: ${page.asked}`);
      assert.ok((await overflow(page)) <= 0, `${file} ${size}: nothing stands out to the right`);
      const top = await page.locator(".verdict").boundingBox();
      assert.ok(top.y + top.height < SIZES[size].viewport.height, "the sentence is seen without scrolling");
      const plots = await page.locator("svg[role=img]").count();
      assert.ok(plots > 12, `${plots} plots`);
      // A workflow opens without a script.
      const row = page.locator("details.w").first();
      await row.locator("summary").click();
      assert.ok(await row.evaluate((details) => details.open));
      await page.screenshot({ path: join(SHOTS, `${file.replace(".html", "")}-${size}.png`), fullPage: true });
      assert.deepEqual(await findings(page), [], `${file} ${size}`);
      await page.context().close();
    }
  }
});

test("every message is there to look at", async () => {
  for (const size of ["light", "phone"]) {
    const page = await tab(size, true);
    await page.goto(pathToFileURL(join(folder, "messages.html")).href);
    assert.ok((await page.locator("section").count()) > 40);
    assert.ok((await overflow(page)) <= 0);
    await page.screenshot({ path: join(SHOTS, `messages-${size}.png`), fullPage: size === "light" });
    await page.context().close();
  }
});

/** A receiver that takes everything and remembers it. */
async function receiver(answer) {
  const seen = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      seen.push(JSON.parse(body));
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(answer.body);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { seen, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

async function until(what, condition) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`in vain waited for ${what}`);
}

test("from an alert in Slack to a silence, without a script; expired and altered links open nothing", async () => {
  const slack = await receiver({ status: 200, body: "ok" });
  const pager = await receiver({ status: 202, body: '{"status":"success","dedup_key":"k"}' });
  const config = join(folder, "bridge.toml");
  // The port is known once it listens; the link's host is put in its place then.
  await writeFile(config, `
[workspace]
name = "acme"
[customerio]
signing_keys = ["env:CIO_SIGNING_KEY"]
[page]
base_url = "https://bridge.example.com"
[[receivers]]
name = "on-call"
type = "pagerduty"
routing_key = "env:PD"
url = "${pager.url}"
[[receivers]]
name = "lifecycle"
type = "slack"
webhook_url = "env:SLACK"
[[routes]]
receivers = ["on-call", "lifecycle"]
`);
  const env = { PATH: process.env.PATH, HOME: folder, TZ: "UTC", CIO_SIGNING_KEY: KEY, PD: "0a1b2c3d4e5f60718293a4b5c6d7e8f9", SLACK: `${slack.url}/services/T/B/x` };
  const place = ["--config", config, "--data", join(folder, "data")];
  const serve = spawn(BRIDGE, ["serve", "--listen", "127.0.0.1:0", ...place], { env, stdio: ["ignore", "pipe", "ignore"] });
  try {
    const url = await new Promise((resolve, reject) => {
      serve.stdout.on("data", (text) => resolve(String(text).match(/http:\S+/)[0]));
      serve.on("exit", () => reject(new Error("serve ended")));
    });
    const event = join(ROOT, "events/email_failed.json");
    await run(BRIDGE, ["send", event, "--now", "--repeat", "3", "--to", url], { env });
    await until("the alert", () => slack.seen.length >= 1 && pager.seen.length >= 1);
    const alert = JSON.stringify(slack.seen[0]);
    const link = alert.match(/https:\/\/bridge\.example\.com(\/status\/incident\/[^|"]+)/)[1].replaceAll("&amp;", "&");

    const page = await tab("phone");
    const opened = await page.goto(url + link);
    assert.equal(opened.status(), 200);
    assert.match(await page.textContent("h1"), /failed since/);
    await page.screenshot({ path: join(SHOTS, "incident-phone.png"), fullPage: true });
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button", { name: "Silence for 1 h" }).click();
    await page.waitForURL(url + link);
    assert.match(await page.textContent("body"), /Silenced until .* by Ada \(name not verified/);
    assert.deepEqual(page.complaints, [], "the policy stops nothing of the page's own");
    await page.screenshot({ path: join(SHOTS, "incident-silenced-phone.png"), fullPage: true });
    const { stdout: silences } = await run(BRIDGE, ["silence", "list", ...place], { env });
    assert.match(silences, /active until .* Ada \(name not verified\)/);
    await until("the acknowledgement", () => pager.seen.some((event) => event.event_action === "acknowledge"));

    // On to the whole page under the same rights, and back; its history is asked for by a form.
    await page.getByRole("link", { name: "All workflows" }).click();
    await page.waitForURL(/\/status\?/);
    await page.getByLabel("Days").selectOption("90");
    await page.getByRole("button", { name: "Show" }).click();
    assert.equal(await page.getByLabel("Days").inputValue(), "90");
    await page.locator("#history table a").first().click();
    await page.waitForURL(/\/status\/incident\//);
    await page.context().close();

    // The runbook's section, open to everybody.
    const section = alert.match(/https:\/\/bridge\.example\.com(\/runbook#[a-z_]+)/)[1];
    for (const size of ["phone", "dark"]) {
      const runbook = await tab(size, true);
      assert.equal((await runbook.goto(url + section)).status(), 200);
      await runbook.locator(section.slice("/runbook".length)).waitFor();
      assert.ok((await overflow(runbook)) <= 0, "the runbook fits");
      await runbook.screenshot({ path: join(SHOTS, `runbook-${size}.png`) });
      assert.deepEqual(await findings(runbook), [], `the runbook, ${size}`);
      await runbook.context().close();
    }

    const stranger = await tab("light", true);
    for (const bad of [link.slice(0, -1), link.replace("may=act", "may=read"), link.replace(/until=\d+/, "until=9999999999"), "/status"]) {
      const refused = await stranger.goto(url + bad);
      assert.equal(refused.status(), 403, bad);
      assert.match(await stranger.textContent("h1"), /signed link/);
    }
    assert.deepEqual(await findings(stranger), []);
    await stranger.screenshot({ path: join(SHOTS, "no-entry.png") });
    // One that was good for a second.
    const { stdout: short } = await run(BRIDGE, ["link", "--base", url, "--for", "1s", ...place], { env });
    await until("its end", async () => (await stranger.goto(short.trim())).status() === 403);
    assert.match(await stranger.textContent("h1"), /expired/);
    const { stdout: wide } = await run(BRIDGE, ["link", "--base", url, ...place], { env });
    const looked = await stranger.goto(wide.trim());
    assert.equal(looked.status(), 200);
    assert.deepEqual(await findings(stranger), [], "a bridge with little to show");
    await stranger.screenshot({ path: join(SHOTS, "status-new.png"), fullPage: true });
    await stranger.context().close();
  } finally {
    serve.kill("SIGTERM");
    slack.close();
    pager.close();
  }
});
