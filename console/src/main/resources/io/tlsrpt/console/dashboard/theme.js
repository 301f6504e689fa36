// Runs before the first paint, so that a chosen theme never flashes.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  if (localStorage.getItem('local-times') === 'shown') document.documentElement.dataset.localTimes = 'shown';
} catch {
  // storage is switched off: the system's theme it is
}
