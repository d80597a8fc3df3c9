// Opens pages of `cargo query-budget report` in a headless Chromium and checks what only a browser can: that the policy
// allows only style and script, that search, sorting, links and themes work, and that nothing is wider than a phone.
// Usage: node page.mjs <chromium> <folder for screenshots> <page.html>..
import { createRequire } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const [chromium, folder, ...pages] = process.argv.slice(2);
const require = createRequire(process.env.PLAYWRIGHT_HOME + "/");
const playwright = require("playwright-core");
const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
let failures = 0;
const check = (holds, what) => {
  if (!holds) failures += 1;
  console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
};

for (const page of pages) {
  const name = basename(page, ".html");
  for (const [device, width, height] of [["desktop", 1280, 900], ["phone", 360, 780]]) {
    for (const colorScheme of ["light", "dark"]) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      const tab = await context.newPage();
      const said = [];
      const asked = [];
      tab.on("console", (message) => said.push(message.text()));
      tab.on("pageerror", (error) => said.push(String(error)));
      tab.on("request", (request) => asked.push(request.url()));
      await tab.goto(pathToFileURL(page).href);
      const label = `${name}, ${device}, ${colorScheme}`;
      check(said.length === 0, `${label}: nothing is said in the console ${said.slice(0, 3).join("; ")}`);
      check(asked.length === 1, `${label}: nothing but the file is loaded ${asked.slice(1).join(" ")}`);
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(wide <= 0, `${label}: the page is ${wide} pixels too wide`);
      await tab.screenshot({ path: `${folder}/${name}-${device}-${colorScheme}.png` });
      const sections = await tab.$$eval("section", (all) => all.map((it) => it.id));
      if (colorScheme === "light") {
        for (const id of sections) {
          await tab.evaluate((id) => document.getElementById(id).scrollIntoView(), id);
          await tab.screenshot({ path: `${folder}/${name}-${device}-${id}.png` });
        }
      }
      const back = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await tab.click("#theme");
      const other = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
      check(back !== other, `${label}: the switch changes the theme`);
      await tab.reload();
      const kept = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
      check(kept === other, `${label}: the theme is kept`);
      await context.close();
    }
  }

  // The actions of a reader, at one width.
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await tab.goto(pathToFileURL(page).href);
  const visible = () => tab.$$eval(".row", (rows) => rows.filter((row) => row.offsetParent !== null).length);
  const before = await visible();
  await tab.keyboard.press("/");
  await tab.keyboard.type("no row has these words");
  await tab.waitForTimeout(200);
  check((await visible()) === 0, `${name}: a search that finds nothing shows no row`);
  await tab.keyboard.press("Escape");
  check((await visible()) === before && before > 0, `${name}: Escape shows all ${before} rows again`);
  for (const table of await tab.$$("table.list")) {
    const head = await table.$("thead button");
    const keys = () => table.$$eval("tbody tr", (rows) => rows.map((row) => row.cells[0].dataset.sort ?? row.cells[0].textContent));
    const order = (list) => [...list].sort((a, b) => (Number.isNaN(Number(a)) ? a.toLowerCase() < b.toLowerCase() ? -1 : 1 : a - b));
    await head.click();
    const up = await keys();
    check(JSON.stringify(up) === JSON.stringify(order(up)), `${name}: a click on a heading sorts ${up.length} rows`);
    await head.click();
    check(JSON.stringify(await keys()) === JSON.stringify([...up].reverse()), `${name}: a second one turns them round`);
  }
  const dead = await tab.$$eval('a[href^="#"]', (links) =>
    links.map((link) => link.getAttribute("href").slice(1)).filter((id) => id && !document.getElementById(id)));
  check(dead.length === 0, `${name}: every link inside the page leads somewhere ${[...new Set(dead)].slice(0, 5)}`);
  const deep = await tab.$('.tree a[href^="#f"], td a[href^="#f"]');
  if (deep) {
    const id = (await deep.getAttribute("href")).slice(1);
    await tab.evaluate((id) => { location.hash = id; }, id);
    await tab.waitForTimeout(100);
    check(await tab.evaluate((id) => document.getElementById(id).checkVisibility(), id), `${name}: a link to a function opens it`);
  }
  await tab.close();

  // Without JavaScript everything is readable.
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 360, height: 780 } });
  const plain = await context.newPage();
  await plain.goto(pathToFileURL(page).href);
  check((await plain.locator(".row").count()) > 0, `${name}: rows are there without a script`);
  check(!(await plain.locator("#search").isVisible()), `${name}: no search is shown without a script`);
  await context.close();
}
await browser.close();
console.log(`${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
