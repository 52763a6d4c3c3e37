// The time, for "4 min ago": moves every ten seconds, and not in a hidden tab.
class Now {
  ms = $state(Date.now());
  constructor() {
    setInterval(() => {
      if (!document.hidden) this.ms = Date.now();
    }, 10_000);
    document.addEventListener('visibilitychange', () => (this.ms = Date.now()));
  }
}
export const now = new Now();
