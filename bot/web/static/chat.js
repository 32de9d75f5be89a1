'use strict';

// The web chat. Every message has an id of its own, so that sending it twice does it once: whatever has no answer yet
// waits in a queue, also across reloads. What is kept in the browser is the conversation, for a day, and nothing else.

(() => {
  const STORE = 'health-book-chat';
  const KEEP_MESSAGES = 100;
  const KEEP_MS = 24 * 60 * 60 * 1000;
  const TYPING_AFTER_MS = 250;
  const ANSWER_WITHIN_MS = 45000;
  const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
  const EVENTS_RETRY_MS = [2000, 5000, 15000, 60000];
  const LEFT_SAID = [200, 100, 50, 20, 10, 0];

  const find = (id) => document.getElementById(id);
  const say = find('sentences').dataset;
  const [page, header, log, typing, status] = ['page', 'header', 'log', 'typing', 'status'].map(find);
  const [notice, noticeText, noticeAction] = ['notice', 'notice-text', 'notice-action'].map(find);
  const [composer, box, send, left, menu, language] = ['composer', 'text', 'send', 'left', 'menu', 'language'].map(find);
  const pageLanguage = document.documentElement.lang;

  const state = { messages: [], queue: [], lastEvent: '' };
  const shown = new Map(); // message id -> element
  let sending = false;
  let failures = 0;
  let pausedUntil = 0;
  let ended = false;
  let retryTimer = 0;
  let typingTimer = 0;
  let events = null;
  let eventsTimer = 0;
  let eventsFailures = 0;
  let session = false; // the server knows this browser
  let newsWaiting = false;
  let announceTimer = 0;
  let leftSaid = 0;
  let aim = null; // what was scrolled to, until the reader moves
  let shiftHeld = false;

  // --- Small helpers ---

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID(); // not in Chrome 90 and not on plain http
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  function asText(value) {
    return typeof value === 'string' ? value : '';
  }

  function asList(value) {
    return Array.isArray(value) ? value : [];
  }

  // --- The conversation kept in this browser ---

  function readStore() {
    try {
      const kept = JSON.parse(localStorage.getItem(STORE));
      if (!kept || !Array.isArray(kept.messages) || !Array.isArray(kept.queue)) return null;
      const usable = (entry) => entry && typeof entry.id === 'string';
      const messages = kept.messages.filter(usable);
      return { messages, queue: kept.queue.filter(usable), lastEvent: asText(kept.lastEvent), at: Number(kept.at) || 0 };
    } catch {
      return null; // no storage, or nothing readable in it
    }
  }

  function writeStore(messages) {
    try {
      const at = messages.length ? messages[messages.length - 1].at : Date.now();
      localStorage.setItem(STORE, JSON.stringify({ messages, queue: state.queue, lastEvent: state.lastEvent, at }));
      return true;
    } catch {
      return false;
    }
  }

  function save() {
    state.messages = state.messages.slice(-KEEP_MESSAGES);
    if (writeStore(state.messages)) return;
    // Full: pictures inside messages are the big part, and their words in `alt` remain.
    const light = state.messages.map((message) => ({ ...message, image: '', imageDark: '' }));
    if (!writeStore(light)) writeStore(light.slice(-20));
  }

  function dropStore() {
    try {
      localStorage.removeItem(STORE);
    } catch {
      // nothing is stored where storage is off
    }
  }

  function dropOldStore() {
    const kept = readStore();
    if (!kept || Date.now() - kept.at < KEEP_MS) return;
    dropStore();
    state.messages = [];
  }

  // --- Showing messages ---

  function safeLink(element) {
    let address;
    try {
      address = new URL(element.getAttribute('href'));
    } catch {
      return null;
    }
    if (address.protocol !== 'https:') return null;
    const link = make('a', element.textContent === element.getAttribute('href') ? 'bare' : '');
    link.href = address.href;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    link.setAttribute('aria-describedby', 'new-tab');
    return link;
  }

  // The server sends only text, <b> and <a>; nothing else is copied even if it should ever send more.
  function copySafely(from, to) {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) {
        to.append(node.data);
      } else if (node.nodeType === Node.ELEMENT_NODE && !/^(script|style|template|noscript)$/i.test(node.localName)) {
        const copy = node.localName === 'b' ? make('b') : node.localName === 'a' ? safeLink(node) : null;
        copySafely(node, copy || to);
        if (copy) to.append(copy);
      }
    }
    return to;
  }

  // Steps ("1. …") and bullets hang, so that they can be counted at a glance.
  function hangMark(line) {
    const mark = /^(\d{1,2}[.)]|[-•–]) /.exec(line.textContent);
    const first = Array.from(line.childNodes).find((node) => node.data !== '');
    if (!mark || !first.data || first.data.length < mark[0].length) return;
    first.data = first.data.slice(mark[0].length);
    line.prepend(make('span', 'mark', mark[0]));
    line.classList.add('item');
  }

  // Each line becomes a paragraph.
  function splitLines(content) {
    const lines = document.createDocumentFragment();
    let line = make('p', 'line');
    let blanks = 0;
    const endLine = () => {
      if (line.textContent.trim()) {
        if (blanks && lines.lastChild) line.classList.add('apart');
        hangMark(line);
        lines.append(line);
        blanks = 0;
      } else {
        blanks += 1;
      }
      line = make('p', 'line');
    };
    for (const node of Array.from(content.childNodes)) {
      if (node.nodeType !== Node.TEXT_NODE) {
        line.append(node);
        continue;
      }
      node.data.split('\n').forEach((part, index) => {
        if (index) endLine();
        line.append(part);
      });
    }
    endLine();
    return lines;
  }

  function richText(message) {
    if (!message.html) return splitLines(make('div', '', message.text));
    const parsed = new DOMParser().parseFromString(message.html, 'text/html');
    return splitLines(copySafely(parsed.body, make('div')));
  }

  function ownAddress(address) {
    try {
      const url = new URL(address, location.href);
      return url.origin === location.origin && /^https?:$/.test(url.protocol) ? url.href : '';
    } catch {
      return '';
    }
  }

  function picture(message) {
    const address = /^data:image\/(png|jpeg|gif|webp);base64,/.test(message.image)
      ? message.image
      : message.image && ownAddress(message.image);
    if (!address) return message.alt ? make('p', 'line', message.alt) : null;
    const image = make('img', 'picture');
    image.alt = message.alt || say.picture;
    image.addEventListener('load', () => { if (aim) scrollToStart(aim); }); // it grew after the scrolling
    image.src = address;
    const dark = message.imageDark && ownAddress(message.imageDark);
    if (!dark) return image;
    const both = make('picture');
    const source = make('source');
    source.media = '(prefers-color-scheme: dark)';
    source.srcset = dark;
    both.append(source, image);
    return both;
  }

  function fileLink(file) {
    const address = file && ownAddress(asText(file.url));
    if (!address) return null;
    const link = make('a', 'file', say.file.replace('{name}', () => asText(file.name)));
    link.href = address;
    link.download = asText(file.name);
    return link;
  }

  function choiceButtons(buttons) {
    const group = make('div', 'choices');
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', say.choices);
    for (const { label, choice } of buttons) {
      const button = make('button', 'choice', label);
      button.type = 'button';
      button.addEventListener('click', () => submit({ choice, label }));
      group.append(button);
    }
    return group;
  }

  function draw(message) {
    const own = message.by === 'you';
    const element = make('div', own ? 'message you' : 'message bot');
    if (message.lang && message.lang !== pageLanguage) element.lang = message.lang;
    const previous = log.lastElementChild;
    const repeats = previous && previous.classList.contains(own ? 'you' : 'bot');
    const author = make('p', own || repeats ? 'author unseen' : 'author', own ? say.you : say.assistant);
    author.lang = pageLanguage;
    const bubble = make('div', 'bubble');
    if (own) {
      bubble.textContent = message.text;
    } else {
      bubble.append(richText(message), ...[picture(message), fileLink(message.file)].filter(Boolean));
    }
    element.append(author, bubble);
    const buttons = asList(message.buttons).filter((one) => one && asText(one.label) && asText(one.choice));
    if (buttons.length) element.append(choiceButtons(buttons));
    log.append(element);
    shown.set(message.id, element);
    quietOldChoices();
    return element;
  }

  // Choices above the person's last message still work, but do not call for attention.
  function quietOldChoices() {
    const own = log.querySelectorAll('.message.you');
    const last = own[own.length - 1];
    for (const group of log.querySelectorAll('.choices')) {
      const before = last && group.compareDocumentPosition(last) & Node.DOCUMENT_POSITION_FOLLOWING;
      group.classList.toggle('quiet', Boolean(before));
    }
  }

  function add(message) {
    if (shown.has(message.id)) return null; // another tab of the same conversation, or an event sent twice
    state.messages.push(message);
    return draw(message);
  }

  function botMessage(id, reply) {
    const { text, html, image, alt } = reply;
    const imageDark = asText(reply.image_dark);
    const words = { text: asText(text), html: asText(html), image: asText(image), imageDark, alt: asText(alt) };
    return { id, by: 'bot', at: Date.now(), lang: pageLanguage, ...words, buttons: asList(reply.buttons), file: reply.file };
  }

  function removeMessage(id) {
    state.messages = state.messages.filter((message) => message.id !== id);
    if (shown.has(id)) shown.get(id).remove();
    shown.delete(id);
    quietOldChoices();
  }

  // --- Scrolling ---

  // An answer is read from its beginning: that is brought to the top, as far as there is something below it.
  function scrollToStart(element) {
    aim = element;
    const covered = getComputedStyle(header).position === 'sticky' ? header.offsetHeight : 0;
    const distance = element.getBoundingClientRect().top - page.getBoundingClientRect().top;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches || log.getAttribute('aria-live') === 'off';
    page.scrollTo({ top: page.scrollTop + distance - covered - 10, behavior: calm ? 'auto' : 'smooth' });
  }

  function scrollToEnd() {
    aim = null;
    page.scrollTop = page.scrollHeight;
  }

  function nearEnd() {
    return page.scrollHeight - page.scrollTop - page.clientHeight < 120;
  }

  // --- Telling what happens ---

  function announce(sentence) {
    clearTimeout(announceTimer);
    status.textContent = '';
    // The pause makes screen readers read the same words a second time.
    if (sentence) announceTimer = setTimeout(() => { status.textContent = sentence; }, 50);
  }

  function showNotice(sentence, label, action) {
    const atEnd = nearEnd();
    noticeText.textContent = sentence;
    noticeAction.hidden = !label;
    noticeAction.textContent = label || '';
    noticeAction.onclick = action || null;
    notice.hidden = false;
    newsWaiting = false;
    announce(sentence);
    if (atEnd) scrollToEnd();
  }

  function hideNotice() {
    if (ended) return;
    if (notice.contains(document.activeElement)) log.focus({ preventScroll: true });
    notice.hidden = true;
    newsWaiting = false;
  }

  function showTyping() {
    const atEnd = nearEnd();
    typing.hidden = false;
    announce(say.typing);
    if (atEnd) scrollToEnd();
  }

  function hideTyping() {
    clearTimeout(typingTimer);
    if (!typing.hidden) announce('');
    typing.hidden = true;
  }

  function markUnsent() {
    for (const { id } of state.queue) {
      const element = shown.get(id);
      if (element && !element.querySelector('.unsent')) element.append(make('p', 'unsent', say.unsent));
    }
  }

  function unmarkUnsent() {
    log.querySelectorAll('.unsent').forEach((mark) => mark.remove());
  }

  // --- Sending ---

  async function post(item) {
    const timer = new AbortController();
    const timeout = setTimeout(() => timer.abort(), ANSWER_WITHIN_MS);
    const { id, text, choice } = item;
    try {
      const response = await fetch('/api/chat', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify(choice === undefined ? { id, text } : { id, choice }),
        cache: 'no-store',
        signal: timer.signal,
      });
      if ([502, 503, 504].includes(response.status)) return { again: true };
      const data = await response.json().catch(() => null);
      if (response.ok) return data && Array.isArray(data.replies) ? { data } : { again: true }; // a Wi-Fi sign-in page
      const wait = Math.min(Number(response.headers.get('Retry-After')) || 0, 600);
      return { refused: response.status, sentence: asText(data && data.error), wait };
    } catch {
      return { again: true };
    } finally {
      clearTimeout(timeout);
    }
  }

  async function pump() {
    if (sending || ended || !state.queue.length || Date.now() < pausedUntil) return;
    clearTimeout(retryTimer);
    sending = true;
    const item = state.queue[0];
    if (!failures) typingTimer = setTimeout(showTyping, TYPING_AFTER_MS);
    const outcome = await post(item);
    hideTyping();
    sending = false;
    if (state.queue[0] === item) settle(item, outcome); // else the conversation was erased meanwhile
    pump();
  }

  function settle(item, outcome) {
    if (outcome.again) return waitForConnection();
    if (failures) {
      failures = 0;
      unmarkUnsent();
      hideNotice();
      announce(say.connected);
    }
    if (outcome.data) return receive(item, outcome.data);
    return refuse(item, outcome);
  }

  function waitForConnection() {
    const delay = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    if (!failures) showNotice(say.waiting);
    failures += 1;
    markUnsent();
    pausedUntil = Date.now() + delay;
    retryTimer = setTimeout(retryNow, delay);
  }

  function retryNow() {
    if (!failures) return; // a wait that the server asked for is kept
    pausedUntil = 0;
    pump();
  }

  function receive(item, data) {
    state.queue.shift();
    if (data.erased) forget();
    const drawn = data.replies.map((reply, index) => add(botMessage(`${item.id}.${index}`, reply || {})));
    const first = drawn.find(Boolean);
    if (data.erased) dropStore();
    else save();
    if (item.go) return location.assign(item.go);
    session = !data.erased;
    if (first) scrollToStart(first);
    if (session) openEvents();
    return undefined;
  }

  // Everything goes, from the browser and from the screen. What was typed but not sent stays in the box, unsent.
  function forget() {
    dropStore();
    closeEvents();
    session = false;
    putBack(state.queue);
    Object.assign(state, { messages: [], queue: [], lastEvent: '' });
    shown.clear();
    log.replaceChildren();
    hideNotice();
  }

  function putBack(items) {
    const typed = items.filter((item) => item.text && !item.start).map((item) => item.text);
    if (!typed.length) return;
    box.value = [...typed, box.value].filter(Boolean).join('\n');
    fitBox();
  }

  function takeBack(items) {
    putBack(items);
    items.forEach((item) => removeMessage(item.id));
    state.queue = state.queue.filter((item) => !items.includes(item));
    save();
  }

  function refuse(item, { refused, sentence, wait }) {
    if (refused === 403) return end(sentence || say.ended);
    if (item.go) {
      takeBack([item]); // the page itself can change its language without the bot
      return location.assign(item.go);
    }
    if (refused === 429) return pause(sentence || say.slow, wait || 10);
    if (item.start) {
      state.queue.shift();
      save();
      return showNotice(sentence || say.failed, say.restart, () => location.reload());
    }
    takeBack([item]);
    return showNotice(sentence || say.failed);
  }

  function end(sentence) {
    closeEvents();
    showNotice(sentence, say.restart, startAgain);
    ended = true;
  }

  // A new conversation; the question that found the session gone is asked again in it.
  function startAgain() {
    const unsent = state.queue.filter((item) => item.text && !item.start);
    Object.assign(state, { messages: [], queue: [], lastEvent: '' });
    queueStart();
    for (const { text } of unsent) queueOwn({ id: newId(), text });
    location.reload();
  }

  function pause(sentence, seconds) {
    pausedUntil = Date.now() + seconds * 1000;
    takeBack(state.queue.filter((item) => !item.start)); // the start goes again by itself
    setPaused(true);
    showNotice(sentence);
    retryTimer = setTimeout(unpause, seconds * 1000);
  }

  function unpause() {
    pausedUntil = 0;
    setPaused(false);
    hideNotice();
    announce(say.ready);
    pump();
  }

  // aria-disabled, not disabled: a disabled button would lose the keyboard's focus.
  function setPaused(paused) {
    document.body.classList.toggle('paused', paused);
    send.setAttribute('aria-disabled', String(paused));
  }

  function isPaused() {
    return document.body.classList.contains('paused');
  }

  function queueOwn(item, shownText = item.text) {
    state.queue.push(item);
    state.messages.push({ id: item.id, by: 'you', at: Date.now(), lang: pageLanguage, text: shownText });
    save();
  }

  function submit({ text, choice, label, go }) {
    if (isPaused() || ended) {
      announce(noticeText.textContent);
      return false;
    }
    const item = { id: newId(), text, choice, go };
    queueOwn(item, label || text);
    draw(state.messages[state.messages.length - 1]);
    if (failures) markUnsent();
    else hideNotice();
    scrollToEnd();
    pump();
    return true;
  }

  function queueStart() {
    const source = takeSource();
    state.queue.push({ id: newId(), text: source ? `/start ${source}` : '/start', start: true });
    save();
  }

  // The code of a poster or an invitation in the page's address; taken out of it, so that a reload does not use it
  // again and nobody reads an invitation over a shoulder.
  function takeSource() {
    const address = new URL(location.href);
    const source = address.searchParams.get('s') || '';
    if (source) {
      address.searchParams.delete('s');
      history.replaceState(null, '', address);
    }
    return /^[A-Za-z0-9_-]{1,64}$/.test(source) ? source : '';
  }

  // --- What arrives later ---

  function openEvents() {
    if (events || ended || !window.EventSource) return;
    clearTimeout(eventsTimer);
    const after = state.lastEvent ? `?after=${encodeURIComponent(state.lastEvent)}` : '';
    events = new EventSource(`/api/chat/events${after}`);
    events.addEventListener('open', () => { eventsFailures = 0; });
    events.addEventListener('reply', receiveEvent);
    events.addEventListener('error', () => {
      if (events && events.readyState === EventSource.CLOSED) reopenEventsLater();
    });
  }

  function closeEvents() {
    clearTimeout(eventsTimer);
    if (events) events.close();
    events = null;
  }

  // The browser reconnects by itself, except after an answer such as 502. The citizen need not know of either.
  function reopenEventsLater() {
    closeEvents();
    const delay = EVENTS_RETRY_MS[Math.min(eventsFailures, EVENTS_RETRY_MS.length - 1)];
    eventsFailures += 1;
    eventsTimer = setTimeout(openEvents, delay);
  }

  function receiveEvent(event) {
    let reply;
    try {
      reply = JSON.parse(event.data);
    } catch {
      return;
    }
    const atEnd = nearEnd();
    state.lastEvent = event.lastEventId || state.lastEvent;
    const element = add(botMessage(event.lastEventId ? `event.${event.lastEventId}` : newId(), reply || {}));
    save();
    if (!element) return;
    if (atEnd) scrollToStart(element);
    else if (notice.hidden) showNews(element);
  }

  // Somebody who reads further up is not torn away.
  function showNews(element) {
    showNotice(say.news, say.show, () => {
      hideNotice();
      scrollToStart(element);
    });
    newsWaiting = true;
  }

  // --- Other tabs of the same conversation ---

  function followOtherTabs(event) {
    if (event.key !== STORE) return;
    const kept = readStore();
    if (!kept) {
      forget();
      return;
    }
    kept.messages.forEach(add);
    if (Number(kept.lastEvent) > Number(state.lastEvent)) state.lastEvent = kept.lastEvent;
  }

  // --- The box ---

  function fitBox() {
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
    showLeft(Math.max(0, box.maxLength - box.value.length));
  }

  // Shown near the end all the time, read out only where a threshold is passed.
  function showLeft(count) {
    const passed = LEFT_SAID.filter((threshold) => count <= threshold).length;
    const sentence = passed ? say.left.replace('{count}', String(count)) : '';
    if (passed > leftSaid) announce(sentence);
    leftSaid = passed;
    left.textContent = sentence;
    left.hidden = !sentence;
  }

  function sendBox() {
    const text = box.value.trim();
    if (!text) {
      box.focus();
      return;
    }
    if (!submit({ text })) return;
    box.value = '';
    fitBox();
    // On a phone the keyboard would hide most of the answer; with a real keyboard the next question comes from it.
    if (matchMedia('(pointer: coarse)').matches) box.blur();
    else box.focus();
  }

  function pressKey(event) {
    shiftHeld = event.shiftKey;
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    sendBox();
  }

  // Phone keyboards and Vietnamese input methods often hide which key it was; the line break itself tells.
  function beforeInput(event) {
    if (!/^insert(LineBreak|Paragraph)$/.test(event.inputType) || shiftHeld) return;
    event.preventDefault();
    sendBox();
  }

  // --- The on-screen keyboard ---

  // Safari lays the keyboard over the page, and old browsers have no dvh: the height that is left is measured.
  function followKeyboard() {
    const view = window.visualViewport;
    if (!view) return;
    const fit = () => {
      const atEnd = nearEnd();
      document.documentElement.style.setProperty('--height', `${Math.round(view.height * view.scale)}px`);
      if (view.scale < 1.01) window.scrollTo(0, 0);
      header.classList.remove('tall');
      header.classList.toggle('tall', header.offsetHeight > view.height * view.scale * 0.25);
      fitBox();
      if (atEnd) page.scrollTop = page.scrollHeight;
    };
    view.addEventListener('resize', fit);
    fit();
  }

  // --- Beginning ---

  function wake() {
    retryNow();
    if (session) openEvents();
  }

  function restore() {
    dropOldStore();
    const kept = readStore();
    if (!kept) return;
    state.queue = kept.queue;
    state.lastEvent = kept.lastEvent;
    kept.messages.forEach(add);
    const lastOwn = log.querySelectorAll('.message.you');
    const last = log.querySelector('.message:last-child');
    if (last) scrollToStart(lastOwn.length ? lastOwn[lastOwn.length - 1] : last);
  }

  function listen() {
    composer.addEventListener('submit', (event) => {
      event.preventDefault();
      sendBox();
    });
    box.addEventListener('keydown', pressKey);
    box.addEventListener('keyup', (event) => { shiftHeld = event.shiftKey; });
    box.addEventListener('beforeinput', beforeInput);
    box.addEventListener('input', fitBox);
    menu.addEventListener('click', () => submit({ choice: '/menu', label: menu.textContent.trim() }));
    language.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || isPaused() || ended) return; // a plain link
      event.preventDefault();
      const go = language.getAttribute('href');
      submit({ choice: `language:${language.hreflang}`, label: language.textContent.trim(), go });
    });
    for (const move of ['wheel', 'touchmove', 'keydown', 'mousedown']) {
      page.addEventListener(move, () => { aim = null; }, { passive: true });
    }
    page.addEventListener('scroll', () => { if (newsWaiting && nearEnd()) hideNotice(); }, { passive: true });
    window.addEventListener('storage', followOtherTabs);
    window.addEventListener('online', wake);
    document.addEventListener('visibilitychange', () => {
      dropOldStore();
      if (!document.hidden) wake();
    });
  }

  function begin() {
    find('opening').remove();
    composer.hidden = false;
    menu.hidden = false;
    followKeyboard();
    listen();
    restore();
    // From here on what is added is read out; what was read in an earlier visit is not read again.
    setTimeout(() => log.setAttribute('aria-live', 'polite'), 100);
    // An invitation counts in the middle of a conversation too; a poster only brings people to begin one.
    const begun = state.messages.length || state.queue.length;
    if (!begun || /[?&]s=moi_/.test(location.search)) queueStart();
    session = state.messages.some((message) => message.by === 'bot');
    if (session) openEvents();
    if (matchMedia('(hover: hover) and (pointer: fine)').matches) box.focus({ preventScroll: true });
    pump();
  }

  begin();
})();
