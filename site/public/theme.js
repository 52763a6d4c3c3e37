// Which theme was chosen is known before the first paint, so nothing flashes. A file and not inline: the policy
// allows no inline script.
(function () {
  try {
    var theme = localStorage.getItem('muster.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (e) {
    // Storage is forbidden: the system's theme it is.
  }
})();
