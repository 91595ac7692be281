/** Places in Cockpit where an auditor finds the orders: an entry of the menu, the list, the page of one order. */
import { renderList, ROUTE } from './list.js';
import { renderOrder } from './order.js';
import { Rest } from './rest.js';
import { h } from './html.js';

function styled() {
  const id = 'order-route-style';
  if (!document.getElementById(id)) {
    document.head.append(h('link', { id, rel: 'stylesheet', href: new URL('./orders.css', import.meta.url).href }));
  }
}

let landed = false;

/** Who signs in comes to the orders, if they may read any; whoever goes elsewhere is left alone. */
async function land(rest) {
  const place = window.location.hash.split('?')[0];
  if (landed || place === '#/login') return;
  landed = !['', '#', '#/', '#/dashboard'].includes(place);
  if (landed) return;
  const found = await rest.search('/history/process-instance/count', { processDefinitionKey: ROUTE }).catch(() => null);
  if (!found || landed) return; // nobody is signed in yet
  landed = true;
  if (found.count > 0) window.location.replace('#/orders');
}

function page(id, path, render) {
  return {
    id,
    pluginPoint: 'cockpit.route',
    properties: { path, label: 'Заказы' },
    render(node, { api }) {
      styled();
      const root = h('div', { class: 'orders', lang: 'ru' });
      node.append(root);
      const wanted = new URLSearchParams(window.location.hash.split('?')[1] || '');
      render(root, new Rest(api), wanted).catch((error) => {
        root.replaceChildren(h('p', { class: 'orders-trouble', role: 'alert' }, error.message));
      });
    },
    unmount() {},
  };
}

export default [
  page('orderRoute.list', '/orders', renderList),
  page('orderRoute.order', '/order', renderOrder),
  {
    id: 'orderRoute.menu',
    pluginPoint: 'cockpit.navigation',
    priority: 100,
    properties: { path: '/orders', label: 'Заказы' },
    render(node, { api }) {
      node.append(h('a', { href: '#/orders' }, 'Заказы'));
      land(new Rest(api));
      window.addEventListener('hashchange', () => land(new Rest(api)));
    },
    unmount() {},
  },
];
