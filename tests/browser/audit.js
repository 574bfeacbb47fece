// Lists what is wrong with the page as it stands: an empty list is what it should give.
const faults = [];
const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const name = (element) => `<${element.tagName.toLowerCase()} class="${element.className}"> ${element.textContent.slice(0, 40)}`;

// Colours are looked at where they are going to, not on their way there.
for (const animation of document.getAnimations()) if (animation instanceof CSSTransition) animation.finish();

// It fits: nothing makes the page wider than the screen.
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) faults.push(`wider than the screen: ${document.documentElement.scrollWidth} > ${width}`);

// Everything that can be used has a name, as the browser computes it for a screen reader; ids are used once, and
// references lead somewhere.
if (!("computedName" in Element.prototype)) faults.push("the browser does not tell accessible names");
for (const element of document.querySelectorAll("button, a, input, select, summary, table, fieldset, nav, [role=region], [role=group], [role=combobox], [role=listbox]")) {
  if (shown(element) && !element.closest("[aria-hidden=true]") && !element.computedName?.trim()) faults.push(`no name: ${name(element)}`);
}
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`id used twice: ${id}`);
for (const attribute of ["for", "aria-labelledby", "aria-controls", "aria-activedescendant"]) {
  for (const element of document.querySelectorAll(`[${attribute}]`)) {
    for (const id of element.getAttribute(attribute).split(/\s+/)) {
      if (!ids.includes(id)) faults.push(`${attribute} leads nowhere: ${name(element)}`);
    }
  }
}
for (const landmark of ["h1", "main"]) {
  const count = [...document.querySelectorAll(landmark)].filter(shown).length;
  if (count !== 1) faults.push(`${count} ${landmark}, not one`);
}
if (!document.documentElement.lang) faults.push("no language");

// What is pressed is large enough to be hit: 24 by 24 pixels at least (WCAG 2.2, 2.5.8). What is out of sight is
// pressed by its label.
for (const element of document.querySelectorAll("button, select, summary, label:has(input[type=radio], input[type=checkbox]), input:not([type=radio], [type=checkbox])")) {
  const { width, height } = element.getBoundingClientRect();
  if (shown(element) && (width < 24 || height < 24)) faults.push(`${Math.round(width)} by ${Math.round(height)} pixels: ${name(element)}`);
}

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
  if (!texts.currentNode.textContent.trim() || !shown(element) || element.closest(".unseen, noscript, option, :disabled, [aria-disabled=true]")) continue;
  const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${name(element)}`);
}
return faults;
