// Lists what is wrong with the page as it stands: an empty list is what it should give.
const faults = [];
const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const name = (element) => `<${element.tagName.toLowerCase()} class="${element.className}"> ${element.textContent.slice(0, 40)}`;

// It fits: nothing makes the page wider than the screen.
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) faults.push(`wider than the screen: ${document.documentElement.scrollWidth} > ${width}`);

// Everything that can be used has a name, and ids are used once.
for (const element of document.querySelectorAll("button, a, input, select, summary, [role=region], [role=group]")) {
  const label = element.getAttribute("aria-label") ?? [...(element.labels ?? [])].map((it) => it.textContent).join("") ?? "";
  if (!(label + (element.matches("input, select") ? "" : element.textContent)).trim() && !element.closest("[role=group]:not([aria-label])")) faults.push(`no name: ${name(element)}`);
}
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`id used twice: ${id}`);
if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
if (document.querySelectorAll("main").length !== 1) faults.push("not one main");

// Text stands out from its ground by at least 4.5 to 1 (WCAG 2.2, 1.4.3).
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = ([red, green, blue]) => {
  const linear = [red, green, blue].map((it) => (it / 255 <= 0.03928 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const ground = (element) => {
  for (let it = element; it; it = it.parentElement) {
    const colour = channels(getComputedStyle(it).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.textContent.trim() || !shown(element) || element.closest(".unseen, noscript, option, :disabled")) continue;
  const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${name(element)}`);
}
return faults;
