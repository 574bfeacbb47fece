// Returns the accessibility problems of the current page.
const violations = [];
const isVisible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const name = (element) => `<${element.tagName.toLowerCase()} class="${element.className}"> ${element.textContent.slice(0, 40)}`;

// Finish transitions, so that the final colors are checked.
for (const animation of document.getAnimations()) if (animation instanceof CSSTransition) animation.finish();

// Nothing makes the page wider than the screen.
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) violations.push(`wider than the screen: ${document.documentElement.scrollWidth} > ${width}`);

// Every control has an accessible name, as the browser computes it for screen readers.
// IDs are unique, and references point to existing elements.
if (!("computedName" in Element.prototype)) violations.push("the browser does not expose accessible names");
for (const element of document.querySelectorAll("button, a, input, select, summary, table, fieldset, nav, [role=region], [role=group], [role=combobox], [role=listbox]")) {
  if (isVisible(element) && !element.closest("[aria-hidden=true]") && !element.computedName?.trim()) violations.push(`no name: ${name(element)}`);
}
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) violations.push(`id used twice: ${id}`);
for (const attribute of ["for", "aria-labelledby", "aria-controls", "aria-activedescendant"]) {
  for (const element of document.querySelectorAll(`[${attribute}]`)) {
    for (const id of element.getAttribute(attribute).split(/\s+/)) {
      if (!ids.includes(id)) violations.push(`${attribute} refers to no element: ${name(element)}`);
    }
  }
}
for (const landmark of ["h1", "main"]) {
  const count = [...document.querySelectorAll(landmark)].filter(isVisible).length;
  if (count !== 1) violations.push(`${count} ${landmark} instead of one`);
}
if (!document.documentElement.lang) violations.push("no language");

// Targets are at least 24 by 24 pixels (WCAG 2.2, 2.5.8). Visually hidden inputs are used by their label.
for (const element of document.querySelectorAll("button, select, summary, label:has(input[type=radio], input[type=checkbox]), input:not([type=radio], [type=checkbox])")) {
  const { width, height } = element.getBoundingClientRect();
  if (isVisible(element) && (width < 24 || height < 24)) violations.push(`${Math.round(width)} by ${Math.round(height)} pixels: ${name(element)}`);
}

// Text has a contrast of at least 4.5 to 1 with its background (WCAG 2.2, 1.4.3).
const channels = (color) => color.match(/[\d.]+/g).map(Number);
const luminance = ([red, green, blue]) => {
  const linear = [red, green, blue].map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const background = (element) => {
  for (let ancestor = element; ancestor; ancestor = ancestor.parentElement) {
    const color = channels(getComputedStyle(ancestor).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.textContent.trim() || !isVisible(element) || element.closest(".visually-hidden, noscript, option, :disabled, [aria-disabled=true]")) continue;
  const [textLuminance, backgroundLuminance] = [luminance(channels(getComputedStyle(element).color)), luminance(background(element))];
  const contrast = (Math.max(textLuminance, backgroundLuminance) + 0.05) / (Math.min(textLuminance, backgroundLuminance) + 0.05);
  if (contrast < 4.5) violations.push(`contrast ${contrast.toFixed(2)}: ${name(element)}`);
}
return violations;
