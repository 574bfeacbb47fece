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

// Says so where the app could not be loaded or has come to an end: it cannot do that itself.
{
  const hasStarted = () => document.readyState !== "loading" && !document.getElementById("start");
  const isTheEnd = (error) => error instanceof WebAssembly.RuntimeError;
  const tell = () => {
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", tell, { once: true });
      return;
    }
    document.getElementById("start")?.remove();
    document.getElementById("broken").hidden = false;
    document.getElementById("reload").onclick = () => location.reload();
  };
  // A script that cannot be fetched is told to its element only, so listen on the way down.
  addEventListener(
    "error",
    ({ target, error, filename }) => {
      // Not what an extension of the browser gets wrong.
      const isOurs = target instanceof HTMLScriptElement || filename?.startsWith(location.origin);
      if (isTheEnd(error) || (isOurs && !hasStarted())) tell();
    },
    true,
  );
  addEventListener("unhandledrejection", ({ reason }) => {
    if (isTheEnd(reason) || !hasStarted()) tell();
  });
}
