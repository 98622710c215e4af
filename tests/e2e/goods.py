"""A small shop of the tests' own: three kinds of products and a few articles, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass

from tests.e2e.page import Json

SHOES, COFFEE, TOYS = "Trail running shoes", "Pour-over coffee", "Wooden toys"
CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Good:
    """One product as the tests know it."""

    product_id: str
    kind: str
    en: str
    zh: str
    price: str
    stock: int = 25
    about: str = ""

    def payload(self) -> Json:
        return {
            "product_id": self.product_id,
            "title": {"en": self.en, "zh": self.zh},
            "description": {"en": self.about} if self.about else {},
            "category": ["Shop", self.kind],
            "brand": "Fernhill" if self.kind == SHOES else "Marlow",
            "price": self.price,
            "currency": CURRENCY,
            "stock": self.stock,
        }


GOODS = (
    Good("e2e-shoe-1", SHOES, "Ridgeline trail shoe", "山脊越野跑鞋", "129.00", about="Grip for wet rock and mud."),
    Good("e2e-shoe-2", SHOES, "Fellrunner light trail shoe", "轻量山地跑鞋", "119.00"),
    Good("e2e-shoe-3", SHOES, "Mudlark grip running shoe", "泥地抓地跑鞋", "99.00"),
    Good("e2e-shoe-4", SHOES, "Stormpath waterproof running shoe", "防水越野跑鞋", "139.00"),
    Good("e2e-shoe-5", SHOES, "Longtrail cushioned running shoe", "长距离缓震跑鞋", "149.00"),
    Good("e2e-shoe-6", SHOES, "Switchback mountain running shoe", "高山跑鞋", "109.00"),
    Good("e2e-shoe-out", SHOES, "Summit racing trail shoe", "竞速越野跑鞋", "159.00", stock=0),
    Good("e2e-coffee-1", COFFEE, "Ceramic pour-over dripper", "陶瓷手冲滤杯", "24.00"),
    Good("e2e-coffee-2", COFFEE, "Gooseneck coffee kettle", "手冲细嘴壶", "59.00"),
    Good("e2e-coffee-3", COFFEE, "Paper coffee filters, 100 pieces", "手冲滤纸100张", "6.50"),
    Good("e2e-coffee-4", COFFEE, "Glass coffee server", "玻璃咖啡分享壶", "19.00"),
    Good("e2e-coffee-5", COFFEE, "Hand coffee grinder", "手摇磨豆机", "79.00"),
    Good("e2e-coffee-6", COFFEE, "Coffee scale with timer", "带计时咖啡秤", "45.00"),
    Good("e2e-toy-1", TOYS, "Beech building blocks", "榉木积木", "34.00"),
    Good("e2e-toy-2", TOYS, "Wooden train set", "木制小火车", "49.00"),
    Good("e2e-toy-3", TOYS, "Stacking rainbow of lime wood", "椴木彩虹叠叠乐", "29.00"),
    Good("e2e-toy-4", TOYS, "Wooden shape sorter", "木制形状分类盒", "27.00"),
    Good("e2e-toy-5", TOYS, "Pull-along wooden duck", "木制拖拉小鸭", "18.00"),
    Good("e2e-toy-6", TOYS, "Wooden animal puzzle", "木制动物拼图", "15.00"),
)
BY_ID = {good.product_id: good for good in GOODS}


def article(topic: str, language: str, title: str, body: str) -> Json:
    return {
        "article_id": f"e2e-{topic}-{language}",
        "language": language,
        "title": title,
        "body": body,
        "kind": "policy",
        "translation_of": f"e2e-{topic}",
    }


ARTICLES = (
    article(
        "returns",
        "en",
        "Returning items",
        "You can return unused items within 45 days of delivery. Print the label in your account and drop the parcel "
        "at any post office.",
    ),
    article(
        "returns",
        "zh",
        "退货须知",
        "收货后45天内，未使用的商品可以退货。请在账户中打印退货单，把包裹交到任意邮局。",
    ),
    article(
        "delivery",
        "en",
        "Delivery times",
        "Parcels within Germany take 2 to 3 working days. Express parcels that are ordered before 14:00 arrive on the "
        "next working day.",
    ),
    article(
        "delivery",
        "zh",
        "配送时间",
        "德国境内的包裹需要2到3个工作日。14点以前下单的加急包裹在下一个工作日送达。",
    ),
    article(
        "payment", "en", "Ways to pay", "We accept credit cards, bank transfer and payment on invoice within 14 days."
    ),
    article("payment", "zh", "付款方式", "我们接受信用卡、银行转账，也可以凭发票在14天内付款。"),
)
