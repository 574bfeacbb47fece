// Runs before the first paint, so that no page flashes in the wrong theme or declares the wrong language.
{
  const root = document.documentElement;
  const language = location.pathname.split("/")[1];
  if (language === "es" || language === "en") root.lang = language;
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is blocked: the system's theme applies.
  }
}

// Shows an error if the app could not be loaded or has crashed, since the app itself cannot.
{
  const hasStarted = () => document.readyState !== "loading" && !document.getElementById("start");
  const isCrash = (error) => error instanceof WebAssembly.RuntimeError;
  const showError = () => {
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", showError, { once: true });
      return;
    }
    document.getElementById("start")?.remove();
    document.getElementById("broken").hidden = false;
    document.getElementById("reload").onclick = () => location.reload();
  };
  // The error event of a script that cannot be loaded does not bubble, so listen in the capturing phase.
  addEventListener(
    "error",
    ({ target, error, filename }) => {
      // Ignore errors of browser extensions.
      const isOurs = target instanceof HTMLScriptElement || filename?.startsWith(location.origin);
      if (isCrash(error) || (isOurs && !hasStarted())) showError();
    },
    true,
  );
  addEventListener("unhandledrejection", ({ reason }) => {
    if (isCrash(reason) || !hasStarted()) showError();
  });
}
