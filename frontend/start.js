// Runs before the first paint, so that no page flashes in the wrong theme or says the wrong language.
{
  const root = document.documentElement;
  const language = location.pathname.split("/")[1];
  if (language === "es" || language === "en") root.lang = language;
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is closed to us: the system's theme holds.
  }
}
